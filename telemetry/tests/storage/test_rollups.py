"""Rollups on plain PostgreSQL: exact at once, whatever comes late, again, or between a refresh's steps."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plants.models import Plant, Sensor
from telemetry.ingest.store import Store, connect
from telemetry.readings import Reading
from telemetry.storage import plain, rollups
from telemetry.storage.buckets import DAY, HOUR, MINUTE
from telemetry.tests.samples import us
from telemetry.tests.storage.histories import START, History, assert_exact, histories, keep, play

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database() -> Iterator[psycopg.Connection]:
    with connect() as connection:
        empty(connection)
        yield connection


def empty(connection: psycopg.Connection) -> None:
    connection.execute("TRUNCATE reading, latest, rollup_dirty, rollup_1m, rollup_1h, rollup_1d")


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture
def sensors(kandy: Plant) -> list[int]:
    """Three sensors; the last keeps the newest of two values for a time, the others the first."""
    numbers = list(Sensor.objects.order_by("number").values_list("number", flat=True)[:3])
    Sensor.objects.filter(number=numbers[-1]).update(duplicate_policy=Sensor.DuplicatePolicy.REPLACE)
    return numbers


def minutely(sensor: int, minutes: range) -> list[Reading]:
    return [(sensor, us(START + minute * MINUTE), float(minute % 7), 192) for minute in minutes]


@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_it_gives_what_a_plain_recomputation_gives(
    database: psycopg.Connection, store: Store, sensors: list[int], data: st.DataObject
) -> None:
    history = data.draw(histories(sensors))
    empty(database)
    play(database, history, store.write)
    assert_exact(database, keep(history, replace=frozenset(sensors[-1:])), sensors)


def test_it_answers_from_stored_buckets_once_it_is_refreshed(
    database: psycopg.Connection, store: Store, sensors: list[int]
) -> None:
    play(database, [minutely(sensors[0], range(-3000, 3000)), START + 3000 * MINUTE + rollups.SETTLE], store.write)
    assert database.execute("SELECT count(*) FROM rollup_dirty").fetchone() == (0,)
    database.execute("TRUNCATE reading")
    for level, buckets in (("1m", 6000), ("1h", 101), ("1d", 6)):
        counted = f"SELECT count(*), sum(n) FROM reading_{level} WHERE sensor = %s"
        assert database.execute(counted, sensors[:1]).fetchone() == (buckets, 6000)


def test_it_marks_the_hours_of_late_readings_only(
    database: psycopg.Connection, store: Store, sensors: list[int]
) -> None:
    play(database, [minutely(sensors[0], range(-90, 90))], store.write)
    marks = database.execute("SELECT sensor, hour, taken FROM rollup_dirty ORDER BY hour").fetchall()
    assert marks == [(sensors[0], START.replace(minute=0) - hour * HOUR, False) for hour in (1, 0)]


def test_it_leaves_no_mark_for_what_comes_again(database: psycopg.Connection, store: Store, sensors: list[int]) -> None:
    late = minutely(sensors[0], range(-90, 0))
    play(database, [late, START, late], store.write)
    assert database.execute("SELECT count(*) FROM rollup_dirty").fetchone() == (0,)


def test_it_waits_for_those_who_are_writing(
    database: psycopg.Connection, store: Store, sensors: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a transaction wrote before it commits is neither in the buckets nor marked: no refresh may pass it by."""
    monkeypatch.setattr(rollups, "WAIT_FOR_WRITERS", "100ms")
    play(database, [], store.write)
    with connect() as writer, writer.transaction(), writer.cursor() as cursor:
        rollups.begin_writing(cursor)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            rollups.refresh(database, START + DAY)
    refreshed = rollups.refresh(database, START + DAY)
    assert refreshed is not None
    assert refreshed.shown_to == START + DAY - rollups.SETTLE


def test_it_keeps_a_mark_that_is_left_while_its_hour_is_recomputed(
    database: psycopg.Connection, store: Store, sensors: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    late, later = minutely(sensors[0], range(-90, -45)), minutely(sensors[0], range(-45, 0))
    recompute = plain.recompute

    def write_between(*args: object) -> None:
        recompute(*args)  # type: ignore[arg-type]
        store.write(later)

    monkeypatch.setattr(plain, "recompute", write_between)
    play(database, [late, START + HOUR], store.write)
    assert database.execute("SELECT count(*) FROM rollup_dirty WHERE NOT taken").fetchone() == (2,)
    assert_exact(database, keep([late, later]), sensors)


def test_it_goes_on_where_a_refresh_was_cut_off(
    database: psycopg.Connection, store: Store, sensors: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    history: History = [minutely(sensors[0], range(-4000, 4000))]
    play(database, history, store.write)
    with monkeypatch.context() as patch:
        patch.setattr(plain, "REMOVE_MARKS", "SELECT 1 / 0")
        with pytest.raises(psycopg.errors.DivisionByZero):
            rollups.refresh(database, START + 2 * DAY)
    assert_exact(database, keep(history), sensors)
    assert rollups.refresh(database, START + 2 * DAY) == (START + 2 * DAY - rollups.SETTLE, 68)
    assert database.execute("SELECT count(*) FROM rollup_dirty").fetchone() == (0,)
    assert_exact(database, keep(history), sensors)


def test_it_runs_once_at_a_time(database: psycopg.Connection, store: Store) -> None:
    play(database, [], store.write)
    with connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [rollups.REFRESH_LOCK])
        assert rollups.refresh(database, START + timedelta(hours=2)) is None
        other.execute("SELECT pg_advisory_unlock(%s)", [rollups.REFRESH_LOCK])  # a closed connection ends later
    assert rollups.refresh(database, START + timedelta(hours=2)) is not None
