"""Alarms for tests that are not about how they are raised."""

from typing import Any

from django.utils.timezone import now

from alarms.models import Alarm, Rule
from plants.models import Sensor


def make_alarm(sensor: Sensor, severity: str = "high", **fields: Any) -> Alarm:
    """A raised alarm, of a rule of its own."""
    plant = sensor.machine.zone.plant
    rule = Rule.objects.create(plant=plant, sensor=sensor, kind="high", setpoint=80, severity=severity)
    given = {
        "title": f"{sensor.machine.name}: {sensor.name.lower()} high",
        "state": "raised",
        "raised_at": now(),
        "trigger_value": 85.0,
    }
    return Alarm.objects.create(
        plant=plant,
        sensor=sensor,
        machine=sensor.machine,
        rule=rule,
        version=rule.versions.get(),
        severity=severity,
        **given | fields,
    )
