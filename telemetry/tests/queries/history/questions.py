"""Questions that hypothesis asks, and whether the answers are what a plain recomputation gives."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from plants.models import Sensor
from telemetry.queries.history.answer import Question, Series, history
from telemetry.queries.history.buckets import Bucket, edges
from telemetry.queries.history.kinds import AGGREGATES, OF_NUMBERS
from telemetry.queries.history.states import labels
from telemetry.tests.queries.history.reference import Reading, cell, counted, seconds_in, time_weighted
from telemetry.tests.samples import us
from telemetry.tests.storage.histories import START, Kept

OF_ALL_NUMBERS = tuple(agg for agg in AGGREGATES if agg in OF_NUMBERS)
ZONES = ("UTC", "Europe/Amsterdam", "Asia/Colombo", "Asia/Kathmandu", "America/New_York")
MOST_BUCKETS = 40
SIZES = ("1m", "7m", "15m", "1h", "6h", "36h", "1d", "1w", "1month")


minutes = st.integers(-1600, 1600)
shifts = st.integers(-60_000_000, 60_000_000) | st.integers(-1, 1)
times = st.builds(lambda minute, shift: START + timedelta(minutes=minute, microseconds=shift), minutes, shifts)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    bucket = Bucket.parse(draw(st.sampled_from(SIZES)))
    start = draw(times)
    longest_s = min(200_000, MOST_BUCKETS * bucket.about_s)
    return Question(
        start=start,
        end=start + timedelta(microseconds=draw(st.integers(1, longest_s * 1_000_000))),
        bucket=bucket,
        fill="null",
        tz=ZoneInfo(draw(st.sampled_from(ZONES))),
        any_quality=draw(st.booleans()),
    )


def asked(question: Question, **changes: Any) -> Question:
    fields = {name: getattr(question, name) for name in Question.__slots__}
    return Question(**{**fields, **changes})


def buckets_of(question: Question) -> list[tuple[int, int]]:
    """Begin and end of each bucket's part within the range, in microseconds."""
    assert isinstance(question.bucket, Bucket)
    assert question.tz is not None
    start, end = us(question.start), us(question.end)
    found = edges(question.bucket, start // 1_000_000, -(-end // 1_000_000), question.tz)
    bounds = [start, *(edge * 1_000_000 for edge in found[1:-1]), end]
    return list(pairwise(bounds))


def of_sensor(kept: Kept, sensor: Sensor) -> list[Reading]:
    return sorted((time, *what) for (number, time), what in kept.items() if number == sensor.number)


def slack(
    agg: str, readings: list[tuple[int, float, int]], bucket: tuple[int, int], question: Question, now: int
) -> float:
    """How exact sums of values up to a million are, and of times to a quarter of a microsecond."""
    if agg != "twa":
        return 1e-3
    values = counted(readings, bool(question.any_quality))
    within = [(time, value) for time, value in values if bucket[0] <= time < bucket[1]]
    _, span = time_weighted(values, within, *bucket, now)
    return 1e-3 + 1e6 * len(values) / max(span, 1)


def assert_alike(
    series: Series, expected: list[list[float | int | None]], slacks: list[list[float]] | None = None
) -> None:
    columns = series["columns"][1:]
    for i, (point, row) in enumerate(zip(series["points"], expected, strict=True)):
        for j, (name, found, wanted) in enumerate(zip(columns, point[1:], row, strict=True)):
            where = f"{name} at {point[0]}: {found} for {wanted}"
            assert (found is None) == (wanted is None), where
            if found is not None and wanted is not None:
                assert math.isclose(found, wanted, rel_tol=1e-9, abs_tol=slacks[i][j] if slacks else 1e-3), where


def assert_answers(sensors: Sequence[Sensor], kept: Kept, question: Question, now: datetime) -> None:
    """The answers about a gauge, a counter and a state are those of a plain recomputation."""
    buckets = buckets_of(question)
    for sensor in sensors[:2]:
        readings = of_sensor(kept, sensor)
        (series,) = history([sensor], asked(question, aggregates=OF_ALL_NUMBERS), now)
        rows = [
            [
                cell(
                    agg,
                    readings,
                    bucket,
                    us(now),
                    any_quality=bool(question.any_quality),
                    kind=sensor.kind,
                    rollover_at=sensor.rollover_at,
                )
                for agg in OF_ALL_NUMBERS
            ]
            for bucket in buckets
        ]
        slacks = [[slack(agg, readings, bucket, question, us(now)) for agg in OF_ALL_NUMBERS] for bucket in buckets]
        assert_alike(series, rows, slacks)

    (series,) = history([sensors[2]], question, now)
    values = counted(of_sensor(kept, sensors[2]), bool(question.any_quality))
    changed = [(time / 1e6, value) for time, value in values if time < us(question.end)]
    named = {value: label for value, label in labels(sensors[2].states, changed).items() if label in series["columns"]}
    assert series["columns"] == ["ts", *named.values()]
    spent = [seconds_in(values, bucket, us(now)) for bucket in buckets]
    assert {value for each in spent for value in each} <= named.keys()
    assert_alike(series, [[each.get(value, 0.0) if each else None for value in named] for each in spent])
