"""Whether a message is sent now, later, or not at all. Pure."""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from alarms.lifecycle import UNACKNOWLEDGED, State

WORST_FIRST = ("critical", "high", "medium", "low")  # the values of models.Severity

FLOOD_WINDOW = timedelta(minutes=10)
DIGEST_AFTER = timedelta(minutes=1)  # a flood goes on for a moment: its first digest waits for it


class Quiet(NamedTuple):
    """Hours by the plant's clock, `end` may be on the next day; `breaks_through` is empty where nothing does."""

    start: time
    end: time
    breaks_through: str


class Message(NamedTuple):
    """One about an alarm that is raised."""

    after_min: int  # of its step
    was_put_off: bool  # by quiet hours
    event_at: datetime  # when the alarm was raised, or called again


class Standing(NamedTuple):
    """How its alarm is now."""

    state: State
    severity: str
    is_shelved: bool
    is_held: bool
    acknowledged_by: str
    told_at: datetime | None  # when the same step was told last


class Later(NamedTuple):
    until: datetime


class Drop(NamedTuple):
    reason: str


class Send(NamedTuple):
    pass


Verdict = Later | Drop | Send


def is_at_least(severity: str, least: str) -> bool:
    return WORST_FIRST.index(severity) <= WORST_FIRST.index(least)


def quiet_until(quiet: Quiet, severity: str, local: datetime) -> datetime | None:
    """When the quiet hours are over in which this moment of the plant's clock is; None where it is in none."""
    if quiet.breaks_through and is_at_least(severity, quiet.breaks_through):
        return None
    clock = local.time()
    is_over_midnight = quiet.start > quiet.end
    is_quiet = (clock >= quiet.start or clock < quiet.end) if is_over_midnight else quiet.start <= clock < quiet.end
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1) if is_over_midnight and clock >= quiet.start else local.date()
    return datetime.combine(day, quiet.end, local.tzinfo)


def judge(message: Message, alarm: Standing, quiet: Quiet | None, local: datetime) -> Verdict:
    """What becomes of a message about a raised alarm at this moment of the plant's clock.

    The first one is sent also where the alarm has cleared meanwhile: it waits for an acknowledgement. Those that come
    later are for alarms that are still active.
    """
    if reason := _over(message, alarm):
        return Drop(reason)
    if message.after_min and alarm.told_at is not None and alarm.told_at >= message.event_at:
        return Drop("It was told already, since the alarm was raised more than once.")
    until = quiet_until(quiet, alarm.severity, local) if quiet is not None else None
    return Send() if until is None else Later(until)


def _over(message: Message, alarm: Standing) -> str:
    """Why an alarm calls nobody any more."""
    if alarm.is_shelved:
        return "The alarm is shelved."
    if alarm.is_held:
        return "The alarm is held under that of its machine or device."
    if alarm.state == State.ACKNOWLEDGED or (alarm.state == State.CLOSED and alarm.acknowledged_by):
        return f"{alarm.acknowledged_by or 'Somebody'} has acknowledged it."
    if alarm.state not in UNACKNOWLEDGED:
        return "The alarm is closed."
    if alarm.state == State.CLEARED and (message.after_min or message.was_put_off):
        return "It has cleared."
    return ""


def is_flood(sent: int, limit: int) -> bool:
    """Whether the next message of a channel, after so many in FLOOD_WINDOW, is to go into a digest."""
    return sent >= limit


def digest_due(now: datetime, last: datetime | None) -> datetime:
    """When the next digest is sent: soon, but one in FLOOD_WINDOW."""
    soon = now + DIGEST_AFTER
    return soon if last is None else max(soon, last + FLOOD_WINDOW)
