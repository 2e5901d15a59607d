"""Answers about any history, whatever came late, bad or never, against a plain recomputation."""

import itertools
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plants.models import Plant, Sensor
from telemetry.ingest.store import Store, connect
from telemetry.queries.history.answer import Question, Series, history
from telemetry.queries.history.buckets import Bucket, edges
from telemetry.queries.history.kinds import AGGREGATES, OF_NUMBERS
from telemetry.queries.history.states import labels
from telemetry.tests.queries.history.reference import Reading, cell, counted, seconds_in, time_weighted
from telemetry.tests.samples import us
from telemetry.tests.storage.histories import START, Kept, histories, keep, play

pytestmark = pytest.mark.django_db(transaction=True)

OF_ALL_NUMBERS = tuple(agg for agg in AGGREGATES if agg in OF_NUMBERS)
ZONES = ("UTC", "Europe/Amsterdam", "Asia/Colombo", "Asia/Kathmandu", "America/New_York")
MOST_BUCKETS = 40
SIZES = ("1m", "7m", "15m", "1h", "6h", "36h", "1d", "1w", "1month")


@pytest.fixture
def database() -> Iterator[psycopg.Connection]:
    with connect() as connection:
        yield connection


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture
def sensors(kandy: Plant) -> list[Sensor]:
    """A gauge, a counter and a state."""
    found = list(Sensor.objects.select_related("machine__zone__plant").order_by("number")[:3])
    for sensor, kind in zip(found, ("gauge", "counter", "state"), strict=True):
        sensor.kind = kind
    return found


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
    return list(itertools.pairwise(bounds))


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


def empty(database: psycopg.Connection) -> None:
    database.execute("TRUNCATE reading, latest, rollup_dirty, rollup_1m, rollup_1h, rollup_1d")


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_it_gives_what_a_plain_recomputation_gives(
    database: psycopg.Connection, store: Store, sensors: list[Sensor], data: st.DataObject
) -> None:
    past = data.draw(histories([sensor.number for sensor in sensors]))
    question, now = data.draw(questions()), data.draw(times)
    sensors[1].rollover_at = data.draw(st.sampled_from([None, 10.0]))
    empty(database)
    play(database, past, store.write)
    kept, buckets = keep(past), buckets_of(question)

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


@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_it_makes_deltas_that_add_up_to_that_of_the_whole_range(
    database: psycopg.Connection, store: Store, sensors: list[Sensor], data: st.DataObject
) -> None:
    past = data.draw(histories([sensors[1].number]))
    question = data.draw(questions())
    empty(database)
    play(database, past, store.write)
    delta = asked(question, aggregates=("delta",), fill="none", any_quality=None)
    parts, whole = (
        history(sensors[1:2], asked(delta, bucket=bucket), START)[0]["points"]
        for bucket in (question.bucket, Bucket.parse("1200month"))
    )
    assert math.isclose(
        math.fsum(part[1] or 0 for part in parts), sum(point[1] or 0 for point in whole), rel_tol=1e-9, abs_tol=1e-3
    )


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Each table that a plan reads, with how often it does."""
    if "Relation Name" in plan:
        yield plan["Relation Name"], plan["Actual Loops"]
    for below in plan.get("Plans", []):
        yield from scans(below)


@pytest.mark.parametrize(("bucket", "quality"), [("auto", False), ("auto", True), ("1d", False), ("1month", True)])
def test_it_reads_no_old_readings_for_a_month(
    database: psycopg.Connection, store: Store, sensors: list[Sensor], bucket: str, quality: bool
) -> None:
    """Readings of the first and the last minute, which the range cuts, and of what is newer than the rollups."""
    now = datetime(2026, 5, 1, 12, 30, 30, tzinfo=UTC)
    number = sensors[0].number
    empty(database)
    readings = [(number, us(now - timedelta(minutes=5 * i)), float(i % 50), 192) for i in range(9000)]
    play(database, [readings, now], store.write, now - timedelta(days=40))
    database.execute("ANALYZE reading, rollup_1m, rollup_1h, rollup_1d")
    question = Question(
        start=now - timedelta(days=30),
        end=now,
        bucket="auto" if bucket == "auto" else Bucket.parse(bucket),
        aggregates=("avg", "delta", "twa", "count"),
        any_quality=quality,
    )
    with CaptureQueriesContext(connection) as queries:
        (series,) = history(sensors[:1], question, now)
    assert sum(point[4] or 0 for point in series["points"]) == 30 * 288
    (statement,) = [query["sql"] for query in queries if "AS placed" in query["sql"]]
    row = database.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement).fetchone()
    assert row is not None
    read = {table for table, loops in scans(row[0][0]["Plan"]) if loops and table.startswith("reading_p")}
    assert read <= {"reading_p20260401", "reading_p20260430", "reading_p20260501", "reading_p20260502"}


def test_it_asks_once_for_all_sensors(database: psycopg.Connection, sensors: list[Sensor]) -> None:
    question = Question(START, START + timedelta(days=1), "auto", ("count", "last"))
    asked_for = []
    for some in (sensors[:1], sensors):
        with CaptureQueriesContext(connection) as queries:
            history(some, question, START)
        asked_for.append(len(queries))
    assert asked_for[0] == asked_for[1]
