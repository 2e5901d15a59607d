"""A rule as ingest would have it in memory, whether it is saved or not: one check for each of its sensors."""

from zoneinfo import ZoneInfo

from alarms.conditions import limits
from alarms.models import Rule
from alarms.rule_set import Check, Key, Reference
from alarms.titles import title
from plants.models import Sensor
from plants.scales import SECOND_US


def sensors_of(rule: Rule) -> list[Sensor]:
    """Those that it is about, by machine; also those that are switched off, for their past is there."""
    related = Sensor.objects.select_related("machine__zone__plant")
    if rule.sensor_id is not None:
        return list(related.filter(pk=rule.sensor_id))
    found = related.filter(type=rule.sensor_type, machine__zone__plant=rule.plant_id)
    if rule.machine_id is not None:
        found = found.filter(machine=rule.machine_id)
    elif rule.zone_id is not None:
        found = found.filter(machine__zone=rule.zone_id)
    return list(found.order_by("machine__zone__slug", "machine__slug", "position", "slug"))


def check_of(rule: Rule, sensor: Sensor, since_us: int) -> Check:
    """`since_us`: when the rule begins to watch; a silence counts from then on, at the earliest."""
    machine, plant, reference = sensor.machine, sensor.machine.zone.plant, rule.reference
    return Check(
        key=Key(rule.pk, sensor.number),
        version_id=0,
        limits=limits(rule.kind, rule.setpoint, rule.deadband, rule.on_delay_s, rule.off_delay_s),
        severity=rule.severity,
        title=title(
            machine.name,
            sensor.name,
            rule.kind,
            rule.message,
            rule.setpoint,
            sensor.states,
            reference.name if reference else None,
        ),
        schedule=rule.schedule,
        tz=ZoneInfo(plant.timezone),
        plant_id=plant.pk,
        machine_id=machine.pk,
        sensor_id=sensor.pk,
        reference=Reference(reference.number, round(reference.stale_after_s * SECOND_US)) if reference else None,
        silent_after_s=rule.setpoint if rule.setpoint is not None else sensor.stale_after_s,
        since=since_us / SECOND_US,
    )
