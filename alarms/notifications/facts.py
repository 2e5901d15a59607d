"""Reads what there is to say of alarms, and puts it into words of their plant: its units, its clock, its names."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any

from django.conf import settings

from alarms.models.alarms import Alarm
from alarms.models.deliveries import Delivery
from alarms.notifications.messages import AlarmWords, Notice
from plants.models import Plant, Sensor

TIME = "%Y-%m-%d %H:%M:%S"


def notice_of(delivery: Delivery) -> Notice:
    """What this delivery says, as things are now."""
    if delivery.kind == Delivery.Kind.DIGEST:
        alarms = Alarm.objects.filter(deliveries__digest=delivery).distinct().order_by("rank", "raised_at")
    else:
        alarms = Alarm.objects.filter(deliveries=delivery)
    return Notice(
        id=str(delivery.pk),
        kind=delivery.kind,
        plant=delivery.plant.name,
        channel=delivery.channel_name,
        after_min=delivery.after_min,
        alarms=tuple(words_of(alarms.select_related("plant", "version", "sensor__machine__zone", "machine__zone"))),
        url=_link(f"/alarms/?plant={delivery.plant.slug}"),
    )


def _link(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else ""


def words_of(alarms: Iterable[Alarm]) -> Iterable[AlarmWords]:
    for alarm in alarms:
        rule: dict[str, Any] = alarm.version.definition
        yield AlarmWords(
            id=str(alarm.pk),
            severity=alarm.severity,
            title=alarm.title,
            state=alarm.state,
            place=_place(alarm),
            address=_address(alarm.plant, alarm.sensor),
            value=value_words(alarm.trigger_value, rule["kind"], alarm.sensor),
            limit=limit_words(rule["setpoint"], rule["kind"], alarm.sensor, _reference(rule)),
            raised_at=time_words(alarm.raised_at, alarm.plant.tz),
            cleared_at=time_words(alarm.cleared_at, alarm.plant.tz) if alarm.cleared_at else "",
            occurrences=alarm.occurrences,
            advice=rule["advice"],
            url=_link(f"/alarms/{alarm.pk}/"),
        )


def _place(alarm: Alarm) -> str:
    """`Kandy / Rolling / Roller 2`; the device's for one that is silent is its plant."""
    machine = alarm.machine or (alarm.sensor and alarm.sensor.machine)
    names = [alarm.plant.name, *([machine.zone.name, machine.name] if machine else [])]
    return " / ".join(names)


def _address(plant: Plant, sensor: Sensor | None) -> str:
    if sensor is None:
        return ""
    return f"{plant.slug}/{sensor.machine.zone.slug}/{sensor.machine.slug}/{sensor.slug}"


def _reference(rule: dict[str, Any]) -> str:
    """The name of the sensor from which a deviation is measured."""
    if rule["kind"] != "deviation":
        return ""
    return Sensor.objects.filter(pk=rule["reference_id"]).values_list("name", flat=True).first() or "another sensor"


def time_words(moment: datetime, tz: tzinfo) -> str:
    """`2026-11-30 14:29:41 +05:30`: a message is read elsewhere, and later."""
    local = moment.astimezone(tz)
    offset = f"{local:%z}"
    return f"{local:{TIME}} {offset[:3]}:{offset[3:5]}"


def number_words(value: float, sensor: Sensor | None) -> str:
    """`96.4 °C`, or the label of a state."""
    if sensor is None:
        return f"{value:g}"
    if sensor.kind == Sensor.Kind.STATE:
        return sensor.states.get(f"{value:g}", f"{value:g}")
    return f"{value:.{sensor.decimals}f} {sensor.unit}".rstrip()


def value_words(value: float | None, kind: str, sensor: Sensor | None) -> str:
    return "" if value is None or kind == "no_data" else number_words(value, sensor)


def limit_words(setpoint: float | None, kind: str, sensor: Sensor | None, reference: str) -> str:
    """`limit 95 °C`, as the rule has it, without the decimals of readings."""
    if setpoint is None:
        return ""
    unit = f" {sensor.unit}" if sensor is not None and sensor.unit else ""
    match kind:
        case "high_high" | "high" | "low" | "low_low":
            return f"limit {setpoint:g}{unit}"
        case "rate":
            return f"limit {setpoint:g}{unit} a minute"
        case "deviation":
            return f"limit {setpoint:g}{unit} away from {reference}"
        case "stuck":
            return f"unmoved for {setpoint:g} s"
        case "no_data":
            return f"silent for {setpoint:g} s"
    return ""
