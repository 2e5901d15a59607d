"""A run over the past says what the slow model of alarms says of it, and what the watch would have done meanwhile."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from alarms.conditions import limits
from alarms.rule_set import Check, Key, Reference
from alarms.tests.histories import LAST_S, histories, rules
from alarms.tests.reference import Asked, Told, changes
from plants.scales import BAD, GOOD, SECOND_US, microseconds
from telemetry.backtest.history import Past
from telemetry.backtest.run import run_of

NOBODY = UUID(int=0)
NIGHT: dict[str, object] = {"days": [1, 2, 3, 4, 5, 6, 7], "from": "22:00", "to": "06:00"}
Spans = list[tuple[float, float | None]]


def check(
    kind: str,
    setpoint: float,
    deadband: float = 0,
    on_s: float = 0,
    off_s: float = 0,
    stale_us: int | None = None,
    schedule: dict[str, object] | None = None,
) -> Check:
    return Check(
        key=Key(NOBODY, 1),
        version_id=0,
        limits=limits(kind, setpoint, deadband, on_s, off_s),
        severity="high",
        title="",
        schedule=schedule or {},
        tz=ZoneInfo("Asia/Colombo"),
        plant_id=NOBODY,
        machine_id=NOBODY,
        sensor_id=NOBODY,
        reference=None if stale_us is None else Reference(2, stale_us),
        silent_after_s=setpoint,
        since=0,
    )


def spans(check: Check, readings: list[tuple[float, float]], end_s: float) -> Spans:
    """(from, to) of the alarms in seconds; None where it lasts at the end."""
    run = run_of(check)
    run.take(Past(round(time * SECOND_US), False, value, GOOD) for time, value in readings)
    run.finish(round(end_s * SECOND_US))
    return [
        (each.start_us / SECOND_US, None if each.end_us is None else each.end_us / SECOND_US)
        for each in run.tally.episodes
    ]


@settings(max_examples=300, deadline=None, print_blob=True)
@given(rules(), histories)
def test_it_says_what_the_reference_says(asked: Asked, history: list[Told]) -> None:
    stored = sorted({(told.time_us, told.is_other): told for told in history}.values(), key=in_order)
    end_us = 2 * LAST_S * SECOND_US
    run = run_of(
        check(
            asked.kind,
            asked.setpoint,
            asked.deadband,
            asked.on_us / SECOND_US,
            asked.off_us / SECOND_US,
            stale_us=asked.stale_us if asked.kind == "deviation" else None,
        )
    )
    run.take(Past(told.time_us, told.is_other, told.value, BAD if told.is_bad else GOOD) for told in stored)
    run.finish(end_us)
    said = [(each.start_us, each.end_us) for each in run.tally.episodes]
    expected = [each.time_us for each in changes(asked, stored, end_us)]
    assert [time for span in said for time in span if time is not None] == expected


def in_order(told: Told) -> tuple[int, bool]:
    return told.time_us, not told.is_other


@pytest.mark.parametrize(
    ("on_s", "off_s", "readings", "end_s", "expected"),
    [
        (0, 0, [], 59, []),
        (0, 0, [], 60, [(60, None)]),
        (0, 0, [(30, 1), (100, 1)], 120, [(90, 100)]),
        (20, 0, [(30, 1), (100, 1)], 120, []),
        (20, 0, [(30, 1), (115, 1)], 120, [(110, 115)]),
        (0, 30, [(30, 1), (100, 1), (129, 1)], 200, [(90, 130), (189, None)]),
        (0, 90, [(30, 1), (100, 1)], 300, [(90, None)]),  # silent again before the delay is over
    ],
)
def test_it_finds_silence_between_readings(
    on_s: float, off_s: float, readings: list[tuple[float, float]], end_s: float, expected: Spans
) -> None:
    assert spans(check("no_data", 60, on_s=on_s, off_s=off_s), readings, end_s) == expected


def test_it_clears_when_the_hours_of_the_rule_end() -> None:
    night = check("high", 80, schedule=NIGHT)
    began = datetime(2026, 1, 5, 23, 0, tzinfo=night.tz)
    start_s = microseconds(began.astimezone(UTC)) / SECOND_US
    hour = 3_600
    readings = [(start_s, 90.0), (start_s + 20 * hour, 91.0), (start_s + 24 * hour, 92.0)]
    end_s = start_s + 25 * hour
    assert spans(night, readings, end_s) == [(start_s, start_s + 7 * hour), (start_s + 24 * hour, None)]
    delayed = check("high", 80, on_s=8 * hour, schedule=NIGHT)
    assert spans(delayed, readings[:1], end_s) == []
