"""Pages of readings and of what became none, for people; programs have `telemetry.api.urls`."""

from django.urls import path

from telemetry.views import (
    alarm_health,
    alarm_parts,
    alarms,
    backtest,
    console,
    dead_letters,
    decisions,
    design,
    discovered,
    machine,
    system,
    tester,
    trend,
)

urlpatterns = [
    path("", console.overview, name="overview"),
    path("rates", console.overview_rates, name="overview_rates"),
    path("plants/<slug:slug>/", console.plant, name="plant"),
    path("plants/<slug:slug>/rate", console.plant_rate, name="plant_rate"),
    path("plants/<slug:slug>/<slug:zone>/<slug:machine>/", machine.machine, name="machine"),
    path("plants/<slug:slug>/<slug:zone>/<slug:machine>/timeline", machine.machine_timeline, name="machine_timeline"),
    path("trend/", trend.trend, name="trend"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/health/", alarm_health.alarm_health, name="alarm_health"),
    path("alarms/banner", alarm_parts.alarm_banner, name="alarm_banner"),
    path("alarms/<uuid:pk>/", alarms.alarm, name="alarm"),
    path("rules/backtest", backtest.backtest_rule, name="backtest_rule"),
    path("decisions/", decisions.decisions, name="decisions"),
    path("decisions/<uuid:pk>/", decisions.decision, name="decision"),
    path("dead-letters/", dead_letters.dead_letters, name="dead_letters"),
    path("dead-letters/<uuid:pk>/", dead_letters.dead_letter, name="dead_letter"),
    path("discovered-sensors/", discovered.discovered_sensors, name="discovered_sensors"),
    path("discovered-sensors/<uuid:pk>/", discovered.discovered_sensor, name="discovered_sensor"),
    path("system/", system.system_page, name="system"),
    path("system/state", system.system_state, name="system_state"),
    path("design/", design.design, name="design"),
    path("topic-tester/", tester.topic_tester, name="topic_tester"),
]
