"""An alarm as ingest would have raised it, for tests of what follows."""

from typing import Any

from django.utils.timezone import now

from alarms.models import Alarm, Rule, RuleVersion
from plants.models import Sensor


def make_alarm(sensor: Sensor, rule: Rule | None = None, **fields: Any) -> Alarm:
    plant = sensor.machine.zone.plant
    rule = rule or Rule.objects.create(
        plant=plant, sensor=sensor, kind="high", setpoint=80, severity="high", advice="Look at the bearing."
    )
    row: dict[str, Any] = {
        "plant": plant,
        "machine": sensor.machine,
        "sensor": sensor,
        "rule": rule,
        "version": RuleVersion.objects.filter(rule=rule).latest("number"),
        "severity": rule.severity,
        "title": f"{sensor.machine.name}: {sensor.name.lower()} {rule.get_kind_display().lower()}",
        "state": "raised",
        "raised_at": now(),
    }
    return Alarm.objects.create(**row | fields)
