from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from alarms.lifecycle import State
from alarms.models import WORST_FIRST
from alarms.notifications import policy
from alarms.notifications.policy import Drop, Later, Message, Quiet, Send, Standing, digest_due, judge, quiet_until

NIGHT = Quiet(time(22), time(6), "critical")
NOON = Quiet(time(12), time(13), "")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
EVENT = datetime(2026, 11, 30, 10, tzinfo=UTC)
RAISED = Standing(State.RAISED, "high", False, False, "", None)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("quiet", "severity", "at", "until"),
    [
        (NIGHT, "high", local(29, 21, 59), None),
        (NIGHT, "high", local(29, 22), local(30, 6)),
        (NIGHT, "high", local(30, 5, 59), local(30, 6)),
        (NIGHT, "high", local(30, 6), None),
        (NIGHT, "critical", local(30, 3), None),
        (NOON, "critical", local(30, 12, 30), local(30, 13)),
        (NOON, "low", local(30, 13), None),
        (Quiet(time(12), time(13), "medium"), "high", local(30, 12, 30), None),
        (Quiet(time(12), time(13), "medium"), "low", local(30, 12, 30), local(30, 13)),
    ],
)
def test_it_knows_when_quiet_hours_are_over(quiet: Quiet, severity: str, at: datetime, until: datetime | None) -> None:
    assert quiet_until(quiet, severity, at) == until


def test_it_ends_quiet_hours_by_the_plants_clock_also_when_that_is_changed() -> None:
    before = datetime(2026, 10, 25, 0, 30, tzinfo=AMSTERDAM)  # summer time ends at 3
    until = quiet_until(Quiet(time(22), time(6), ""), "high", before)
    assert until is not None
    assert until.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=6, minutes=30)


@pytest.mark.parametrize(
    ("after_min", "was_put_off", "changed", "verdict"),
    [
        (0, False, {}, "send"),
        (15, False, {}, "send"),
        (0, False, {"state": State.CLEARED}, "send"),
        (15, False, {"state": State.CLEARED}, "It has cleared."),
        (0, True, {"state": State.CLEARED}, "It has cleared."),
        (0, True, {}, "send"),
        (0, False, {"state": State.ACKNOWLEDGED, "acknowledged_by": "Bob"}, "Bob has acknowledged it."),
        (15, False, {"state": State.ACKNOWLEDGED, "acknowledged_by": "Bob"}, "Bob has acknowledged it."),
        (15, False, {"state": State.CLOSED, "acknowledged_by": "Bob"}, "Bob has acknowledged it."),
        (0, False, {"state": State.CLOSED}, "The alarm is closed."),
        (0, False, {"is_shelved": True}, "The alarm is shelved."),
        (0, False, {"is_held": True}, "The alarm is held under that of its machine or device."),
        (15, False, {"told_at": EVENT + timedelta(minutes=5)}, "It was told already"),
        (15, False, {"told_at": EVENT - timedelta(minutes=5)}, "send"),
        (0, False, {"told_at": EVENT + timedelta(minutes=5)}, "send"),
    ],
)
def test_it_escalates_what_is_still_called_for(
    after_min: int, was_put_off: bool, changed: dict[str, object], verdict: str
) -> None:
    alarm = RAISED._replace(**changed)  # type: ignore[arg-type]
    found = judge(Message(after_min, was_put_off, EVENT), alarm, None, local(30, 12))
    assert found == Send() if verdict == "send" else isinstance(found, Drop) and found.reason.startswith(verdict)


def test_it_puts_off_what_is_not_urgent_until_quiet_hours_are_over() -> None:
    assert judge(Message(0, False, EVENT), RAISED, NIGHT, local(30, 3)) == Later(local(30, 6))
    urgent = RAISED._replace(severity="critical")
    assert judge(Message(0, False, EVENT), urgent, NIGHT, local(30, 3)) == Send()


def test_it_sends_a_digest_soon_but_one_in_ten_minutes() -> None:
    assert digest_due(EVENT, None) == EVENT + timedelta(minutes=1)
    assert digest_due(EVENT, EVENT - timedelta(minutes=3)) == EVENT + timedelta(minutes=7)
    assert digest_due(EVENT, EVENT - timedelta(hours=3)) == EVENT + timedelta(minutes=1)


def test_it_knows_the_severities_of_alarms() -> None:
    assert policy.WORST_FIRST == WORST_FIRST
