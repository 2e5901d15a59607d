"""Answers about any history, whatever came late, bad or never, against a plain recomputation."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plants.models import Plant, Sensor
from telemetry.ingest.store import Store, connect
from telemetry.queries.history.answer import Question, history
from telemetry.queries.history.buckets import Bucket
from telemetry.tests.queries.history.questions import asked, assert_answers, questions, times
from telemetry.tests.samples import us
from telemetry.tests.storage.histories import START, histories, keep, play

pytestmark = pytest.mark.django_db(transaction=True)


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
    assert_answers(sensors, keep(past), question, now)


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
