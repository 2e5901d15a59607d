"""An alarm in the words of pages: value, limit, times and people. Pure, of what `Alarm.objects.with_words` has read."""

from datetime import datetime, tzinfo
from typing import Any, cast

from django.urls import reverse

from accounts.models import User
from alarms.lifecycle import State
from alarms.models import Alarm
from plants.models import Sensor
from telemetry import formats
from telemetry.alarm_rows import AlarmRow, Severity, ShelvedRow, Standing
from telemetry.machine_state import label_of

PEAKED = {"high_high", "high", "low_low", "low"}  # kinds whose peak is kept


def alarm_row(alarm: Alarm, now: datetime, held: int = 0) -> AlarmRow:
    tz = alarm.plant.tz
    return AlarmRow(
        id=str(alarm.pk),
        severity=cast(Severity, alarm.severity),
        standing=standing_of(alarm, now),
        title=alarm.title,
        place=place_of(alarm),
        url=reverse("alarm", args=[alarm.pk]),
        advice=" ".join(str(alarm.version.definition.get("advice") or "").split()) if alarm.sensor else "",
        held=held,
        occurrences=alarm.occurrences,
        value=value_of(alarm),
        limit=limit_of(alarm),
        clock=formats.format_day_clock(alarm.raised_at, tz, now),
        offset=formats.format_offset(alarm.raised_at, tz),
        ago=_ago(alarm, now),
        said=said_of(alarm, tz, now),
        assigned=short_name(alarm.assigned_to) if alarm.assigned_to else "",
    )


def shelved_row(alarm: Alarm, now: datetime, since: datetime | None) -> ShelvedRow:
    """`since`: when it was shelved, if that is known."""
    until, tz = cast(datetime, alarm.shelved_until), alarm.plant.tz
    left_s = (until - now).total_seconds()
    whole_s = (until - since).total_seconds() if since else left_s
    is_today = until.astimezone(tz).date() == now.astimezone(tz).date()
    clock = f"{until.astimezone(tz):%H:%M}" if is_today else formats.format_day_clock(until, tz, now)[:-3]
    return ShelvedRow(
        alarm_row(alarm, now),
        alarm.shelve_reason,
        short_name(alarm.shelved_by),
        f"{clock} {formats.format_offset(until, tz)}",
        f"{formats.format_age(left_s)} left",
        round(100 * min(1.0, max(0.0, left_s / whole_s if whole_s > 0 else 0.0))),
    )


def standing_of(alarm: Alarm, now: datetime) -> Standing:
    return "shelved" if alarm.is_shelved(now) else cast(Standing, alarm.state)


def place_of(alarm: Alarm) -> str:
    """`Kandy Tea / Rolling`."""
    return f"{alarm.plant} / {alarm.machine.zone}" if alarm.machine else str(alarm.plant)


def short_name(user: User | None) -> str:
    """`N. Perera`; a name of one word and an address as they are."""
    if user is None:
        return "somebody"
    first, _, rest = user.name.partition(" ")
    return f"{first[0]}. {rest.split()[-1]}" if rest.split() else str(user)


def value_of(alarm: Alarm) -> str:
    """`96.4 °C`, `peak 7.9 mm/s`, `Fault`, `no data`."""
    kind, sensor = alarm.version.definition.get("kind"), alarm.sensor
    if kind == "no_data" or alarm.subject != "sensor":
        return "no data"
    if sensor is None or alarm.trigger_value is None:
        return ""
    if kind in PEAKED and alarm.peak_value is not None:
        is_past = alarm.state in (State.CLEARED, State.CLOSED) or alarm.peak_value != alarm.trigger_value
        return f"{'peak ' if is_past else ''}{measured(alarm.peak_value, sensor)}"
    return measured(alarm.trigger_value, sensor)


def measured(value: float, sensor: Sensor) -> str:
    """A value of the sensor with its unit, or its label."""
    if sensor.kind == Sensor.Kind.STATE:
        return (label_of(sensor.states, value) or f"state {value:g}").capitalize()
    unit = formats.THIN + sensor.unit if sensor.unit else ""
    return formats.format_number(value, sensor.decimals) + unit


def limit_of(alarm: Alarm) -> str:
    """`limit 95`, `expected every 5 s`, of the rule as it was when it raised the alarm."""
    rule: dict[str, Any] = alarm.version.definition
    setpoint, sensor = rule.get("setpoint"), alarm.sensor
    if sensor is None:
        return ""
    if rule.get("kind") == "no_data":
        return f"expected every {formats.format_age(sensor.expected_interval_s)}" if sensor.expected_interval_s else ""
    if setpoint is None or rule.get("kind") == "state":
        return ""
    if rule.get("kind") == "stuck":
        return f"for {formats.format_age(setpoint)}"
    said = f"limit {formats.format_number(setpoint, decimals_of(setpoint))}"
    return f"{said} a minute" if rule.get("kind") == "rate" else said


def decimals_of(setpoint: float) -> int:
    """As many as somebody has written: 95 and not 95.0, 7.1 and not 7.10."""
    return len(f"{setpoint:.10f}".rstrip("0").partition(".")[2])


def said_of(alarm: Alarm, tz: tzinfo, now: datetime) -> str:
    """What stands below the standing."""
    if alarm.state == State.RAISED:
        return "not acknowledged"
    if alarm.state == State.CLEARED and alarm.cleared_at:
        return formats.format_day_clock(alarm.cleared_at, tz, now)
    if alarm.acknowledged_at:
        return f"{short_name(alarm.acknowledged_by)}, {formats.format_clock(alarm.acknowledged_at, tz, now)}"
    return formats.format_day_clock(alarm.closed_at, tz, now) if alarm.closed_at else ""


def _ago(alarm: Alarm, now: datetime) -> str:
    end = alarm.cleared_at or alarm.closed_at
    if end is not None:
        return f"lasted {formats.format_age((end - alarm.raised_at).total_seconds())}"
    return formats.format_age((now - alarm.raised_at).total_seconds())
