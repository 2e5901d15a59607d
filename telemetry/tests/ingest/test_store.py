"""Store: each reading once, `latest` at the newest, whatever comes again and in whatever order."""

import random
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plants.models import Plant, Sensor
from telemetry.ingest.store import Store, connect
from telemetry.models import Latest, Reading
from telemetry.readings import Reading as Row
from telemetry.readings import Reason
from telemetry.tests.samples import us

pytestmark = pytest.mark.django_db(transaction=True)

T0 = us(now().replace(microsecond=0)) - 3_600_000_000
SECOND = 1_000_000


def stored(number: int) -> list[tuple[int, float, int]]:
    rows = Reading.objects.filter(sensor__number=number).order_by("time").values_list("time", "value", "quality")
    return [(us(time), value, quality) for time, value, quality in rows]


def latest(number: int) -> tuple[int, float] | None:
    row = Latest.objects.filter(sensor__number=number).values_list("time", "value").first()
    return (us(row[0]), row[1]) if row else None


def test_it_stores_readings_and_moves_latest(store: Store, number: int) -> None:
    result = store.write([(number, T0, 1.0, 192), (number, T0 + SECOND, 2.0, 64)])
    assert (result.stored, result.duplicate, result.conflict, result.refused) == (2, 0, 0, {})
    assert result.newest == [(number, T0 + SECOND, 2.0, 64)]
    assert stored(number) == [(T0, 1.0, 192), (T0 + SECOND, 2.0, 64)]
    assert latest(number) == (T0 + SECOND, 2.0)


def test_it_stores_once_what_comes_twice(store: Store, number: int) -> None:
    rows: list[Row] = [(number, T0 + i * SECOND, float(i), 192) for i in range(10)]
    store.write(rows)
    result = store.write([*rows, (number, T0 + 10 * SECOND, 10.0, 192)])
    assert (result.stored, result.duplicate, result.conflict) == (1, 10, 0)
    assert result.newest == [(number, T0 + 10 * SECOND, 10.0, 192)]
    assert len(stored(number)) == 11


def test_it_stores_once_what_comes_twice_in_one_batch(store: Store, number: int) -> None:
    result = store.write([(number, T0, 1.0, 192)] * 3)
    assert (result.stored, result.duplicate, result.conflict) == (1, 2, 0)
    assert latest(number) == (T0, 1.0)


def test_it_keeps_the_first_of_different_values_for_one_time(store: Store, number: int) -> None:
    store.write([(number, T0, 1.0, 192)])
    result = store.write([(number, T0, 2.0, 192), (number, T0 + SECOND, 5.0, 192), (number, T0 + SECOND, 6.0, 192)])
    assert (result.stored, result.duplicate, result.conflict) == (1, 0, 2)
    assert stored(number) == [(T0, 1.0, 192), (T0 + SECOND, 5.0, 192)]
    assert latest(number) == (T0 + SECOND, 5.0)


def test_it_replaces_by_the_last_where_the_sensor_says_so(store: Store, number: int) -> None:
    Sensor.objects.filter(number=number).update(duplicate_policy="replace")
    store.write([(number, T0, 1.0, 192)])
    result = store.write([(number, T0, 2.0, 192), (number, T0, 3.0, 64)])
    assert (result.stored, result.duplicate, result.conflict) == (0, 0, 2)
    assert stored(number) == [(T0, 3.0, 64)]
    assert latest(number) == (T0, 3.0)
    assert result.newest == [(number, T0, 3.0, 64)]


def test_it_never_moves_latest_back(store: Store, number: int) -> None:
    store.write([(number, T0, 1.0, 192)])
    result = store.write([(number, T0 - SECOND, 9.0, 192)])
    assert (result.stored, result.newest) == (1, [])
    assert latest(number) == (T0, 1.0)


def test_it_stores_late_readings_of_any_day(store: Store, number: int) -> None:
    days = [T0 - day * 86_400 * SECOND for day in (80, 8, 1)]
    assert store.write([(number, time, 1.0, 192) for time in days]).stored == 3
    assert [time for time, *_ in stored(number)] == days


def test_it_makes_a_partition_a_day_ahead_every_day(store: Store, number: int) -> None:
    for day in (5, 4, 3):
        store.write([(number, T0 - day * 86_400 * SECOND, 1.0, 192)])
        ahead = datetime.fromtimestamp(T0 / 1e6, UTC) - timedelta(days=day - 1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"reading_p{ahead:%Y%m%d}"])
            assert cursor.fetchone() == (True,)


def test_it_makes_room_anew_where_a_partition_was_dropped(store: Store, number: int) -> None:
    old = T0 - 80 * 86_400 * SECOND
    store.write([(number, old, 1.0, 192)])
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE reading_p{datetime.fromtimestamp(old / 1e6, UTC):%Y%m%d}")
    assert store.write([(number, old + 1, 2.0, 192)]).stored == 1


def test_it_never_takes_a_detached_partition_for_poison(store: Store, number: int) -> None:
    old = T0 - 70 * 86_400 * SECOND
    store.write([(number, old, 1.0, 192)])
    partition = f"reading_p{datetime.fromtimestamp(old / 1e6, UTC):%Y%m%d}"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE reading DETACH PARTITION {partition}")
    with pytest.raises(psycopg.errors.DuplicateTable):
        store.write([(number, old + SECOND, 2.0, 192)])
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {partition}")
    assert store.write([(number, old + SECOND, 2.0, 192)]).stored == 1


def test_it_keeps_the_neighbours_of_what_only_the_database_refuses(store: Store, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE reading ADD CONSTRAINT no_666 CHECK (value <> 666)")
    try:
        rows: list[Row] = [(number, T0 + i * SECOND, 666.0 if i == 37 else float(i), 192) for i in range(100)]
        result = store.write(rows)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE reading DROP CONSTRAINT no_666")
    assert result.stored == 99
    assert [each.reason for each in result.refused.values()] == [Reason.DATABASE_REJECTED]
    assert "666" in next(iter(result.refused.values())).detail
    assert latest(number) == (T0 + 99 * SECOND, 99.0)


def test_it_finds_what_a_trigger_lets_vanish(store: Store, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION drop_666() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN CASE WHEN NEW.value = 666 THEN NULL ELSE NEW END; END $$;"
            "CREATE TRIGGER drop_666 BEFORE INSERT ON reading FOR EACH ROW EXECUTE FUNCTION drop_666()"
        )
    try:
        result = store.write([(number, T0 + i * SECOND, 666.0 if i == 1 else 1.0, 192) for i in range(3)])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER drop_666 ON reading; DROP FUNCTION drop_666()")
    assert result.stored == 2
    assert {place: why.reason for place, why in result.refused.items()} == {1: Reason.DATABASE_REJECTED}


def test_it_never_takes_a_broken_database_for_poison(store: Store, number: int) -> None:
    store.write([(number, T0, 1.0, 192)])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE latest RENAME TO elsewhere")
    try:
        with pytest.raises(psycopg.errors.UndefinedTable):
            store.write([(number, T0 + SECOND, 2.0, 192)])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO latest")
    assert len(stored(number)) == 1  # nothing of the batch, since `latest` could not follow
    assert store.write([(number, T0 + SECOND, 2.0, 192)]).stored == 1


def test_it_goes_on_after_its_connection_was_cut(number: int) -> None:
    connections: list[psycopg.Connection] = []

    def remember() -> psycopg.Connection:
        connections.append(connect())
        return connections[-1]

    store = Store(remember)
    store.write([(number, T0, 1.0, 192)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connections[0].info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        store.write([(number, T0 + SECOND, 2.0, 192)])
    assert store.write([(number, T0 + SECOND, 2.0, 192)]).stored == 1
    store.close()
    assert len(connections) == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 8), st.integers(0, 2)).map(lambda t: (t[0], t[1], float(t[2]))),
        min_size=1,
        max_size=40,
    ),
    seed=st.integers(0, 2**16),
)
def test_it_gives_the_same_rows_for_any_cut_into_batches(
    store: Store, kandy: Plant, history: list[tuple[int, int, float]], seed: int
) -> None:
    """Against a plain model: a dictionary that keeps the first value of each identity."""
    numbers = list(Sensor.objects.order_by("number").values_list("number", flat=True))
    Reading.objects.all().delete()
    Latest.objects.all().delete()
    rows: list[Row] = [(numbers[sensor], T0 + i * SECOND, value, 192) for sensor, i, value in history]
    expected: dict[tuple[int, int], float] = {}
    for sensor, time_us, value, _ in rows:
        expected.setdefault((sensor, time_us), value)

    cuts = random.Random(seed)
    counted = 0
    position = 0
    while position < len(rows):
        batch = rows[position : position + cuts.randint(1, 12)]
        position += len(batch)
        result = store.write(batch)
        counted += result.stored + result.duplicate + result.conflict

    assert counted == len(rows)
    found = Reading.objects.values_list("sensor__number", "time", "value")
    assert {(number, us(time)): value for number, time, value in found} == expected
    newest = {sensor: max(t for s, t in expected if s == sensor) for sensor, _ in expected}
    assert {
        number: (us(time), value) for number, time, value in Latest.objects.values_list("sensor_id", "time", "value")
    } == {sensor: (time, expected[sensor, time]) for sensor, time in newest.items()}


def test_it_answers_an_empty_batch_without_a_connection() -> None:
    def refuse() -> psycopg.Connection:
        raise AssertionError("no connection is needed")

    assert Store(refuse).write([]).stored == 0


def test_it_begins_a_partition_at_midnight_utc(store: Store, number: int) -> None:
    midnight = datetime.combine(now().date(), datetime.min.time(), UTC) - timedelta(days=3)
    store.write([(number, us(midnight) - 1, 1.0, 192), (number, us(midnight), 2.0, 192)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM reading WHERE sensor = %s ORDER BY time", [number])
        tables = [name for (name,) in cursor.fetchall()]
    assert tables == [f"reading_p{midnight - timedelta(days=1):%Y%m%d}", f"reading_p{midnight:%Y%m%d}"]


LIMITED_DECOMPRESSION = """
CREATE FUNCTION limited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('timescaledb.max_tuples_decompressed_per_dml_transaction', true) IS DISTINCT FROM '0' THEN
        RAISE EXCEPTION 'tuple decompression limit exceeded by operation' USING ERRCODE = '53400';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER limited BEFORE INSERT ON reading FOR EACH ROW EXECUTE FUNCTION limited();
"""


def test_it_stores_late_rows_that_timescaledb_must_decompress_much_for(store: Store, number: int) -> None:
    """The trigger refuses as TimescaleDB does: with SQLSTATE 53400, while the transaction has a limit."""
    with connection.cursor() as cursor:
        cursor.execute(LIMITED_DECOMPRESSION)
    try:
        assert store.write([(number, T0, 1.0, 192), (number, T0 + SECOND, 2.0, 192)]).stored == 2
        assert store.write([(number, T0, 1.0, 192), (number, T0 + 2 * SECOND, 3.0, 192)])[:3] == (1, 1, 0)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER limited ON reading; DROP FUNCTION limited")
    assert stored(number) == [(T0, 1.0, 192), (T0 + SECOND, 2.0, 192), (T0 + 2 * SECOND, 3.0, 192)]
