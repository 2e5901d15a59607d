"""From plain PostgreSQL to TimescaleDB: nothing is lost or wrong before, while and after, whatever ends a run."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from telemetry.readings import Reading
from telemetry.storage import convert, flavour, plain, retention, rollups, timescale
from telemetry.storage.buckets import DAY, HOUR, MINUTE, floor
from telemetry.tests.samples import us
from telemetry.tests.storage.histories import START, History, assert_exact, keep, play
from telemetry.tests.timescale.conftest import connect, manage, migrate, serving
from telemetry.tests.timescale.test_rollups import SENSORS, insert

pytestmark = pytest.mark.timescale

FIRST = floor(START, DAY) - 3 * DAY
DAYS = [FIRST + number * DAY for number in range(6)]
DROPPED, RAW = DAYS[:2], DAYS[2:]  # the first two live on in the rollups only
NOW = DAYS[-1] + 13 * HOUR
COMPRESS_BEFORE = RAW[1]
REPLACED = SENSORS[2]


def of_day(day: datetime) -> list[Reading]:
    """Values that rise and fall, a few of them bad."""
    often = [(1, us(day + n * 15 * MINUTE), float(n * 7 % 11), 0 if n % 13 == 5 else 192) for n in range(96)]
    seldom = [(sensor, us(day + n * 2 * HOUR), n / 3, 192) for sensor in (2, 3) for n in range(12)]
    return often + seldom


def late(day: datetime) -> list[Reading]:
    return [(sensor, us(day + 5 * HOUR + sensor * MINUTE), 100.0 + sensor, 192) for sensor in SENSORS]


BEFORE: History = [*[of_day(day) for day in DAYS[:-1]], of_day(DAYS[-1])[:40], NOW, late(DAYS[3])]


@pytest.fixture(scope="module")
def plain_data(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a server whose database was made and filled without TimescaleDB: days, older rollups, a mark."""
    data = tmp_path_factory.mktemp("plain") / "data"
    with serving(installed, str(data), "plain") as url:
        migrate(url)
        with connect(url) as connection:
            connection.execute(
                "INSERT INTO latest (sensor, time, value, quality, received_at) "
                "SELECT sensor, %(now)s, 0, 192, %(now)s FROM unnest(%(sensors)s::int[]) AS sensor",
                {"now": NOW, "sensors": SENSORS},
            )
            plain.ensure_days(connection, [day.date() for day in [*DAYS, DAYS[-1] + DAY]])
            play(connection, BEFORE, lambda readings: insert(connection, readings), FIRST)
            for day in plain.raw_days(connection, RAW[0]):
                plain.drop_day(connection, day)
    return data


@contextmanager
def with_timescale(installed: Path, plain_data: Path, directory: Path) -> Iterator[str]:
    """The URL of a copy of that database on a server to which TimescaleDB was added."""
    shutil.copytree(plain_data, directory / "data")
    with serving(installed, str(directory / "data")) as url:
        yield url


@pytest.fixture
def url(installed: Path, plain_data: Path, tmp_path: Path) -> Iterator[str]:
    with with_timescale(installed, plain_data, tmp_path) as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[psycopg.Connection]:
    with connect(url) as connection:
        convert.ensure_extension(connection)
        yield connection


@pytest.fixture(scope="module")
def converted(
    installed: Path, plain_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection]:
    """A database after its conversion, to look at."""
    directory = tmp_path_factory.mktemp("converted")
    with with_timescale(installed, plain_data, directory) as url, connect(url) as connection:
        convert.ensure_extension(connection)
        finish(connection)
        yield connection


def finish(connection: psycopg.Connection) -> list[convert.Progress]:
    return list(convert.convert(connection, COMPRESS_BEFORE))


def replace(connection: psycopg.Connection, day: datetime, value: float) -> History:
    """Another value for a reading that is there, as the store writes it where the sensor's policy is to replace."""
    reading = (REPLACED, us(day), value, 192)
    with connection.transaction(), connection.cursor() as cursor:
        rollups.begin_writing(cursor)
        cursor.execute("UPDATE reading SET value = %s WHERE sensor = %s AND time = %s", [value, REPLACED, day])
        cursor.execute(
            "INSERT INTO rollup_dirty (sensor, hour, taken) VALUES (%s, %s, false) ON CONFLICT DO NOTHING",
            [REPLACED, day],
        )
    return [[reading]]


def assert_right(connection: psycopg.Connection, history: History) -> None:
    kept = keep(history, frozenset([REPLACED]))
    assert_exact(connection, kept, SENSORS)
    stored = connection.execute(
        "SELECT sensor, (extract(epoch FROM time) * 1000000)::bigint, value, quality FROM reading ORDER BY 1, 2"
    ).fetchall()
    assert stored == sorted((*key, *rest) for key, rest in kept.items() if key[1] >= us(RAW[0]))


def test_it_converts_in_one_command_with_progress(url: str) -> None:
    said = manage(url, "convert_to_timescale").splitlines()
    assert [line.split(", ")[:2] for line in said[:2]] == [
        ["2026-03-27: day 1 of 5", "120 readings"],
        ["2026-03-28: day 2 of 5", "123 readings"],
    ]
    assert said[-1] == "Converted: 403 readings are TimescaleDB's now."
    assert manage(url, "convert_to_timescale") == "This database has TimescaleDB's tables already.\n"
    with connect(url) as connection:
        assert flavour(connection) is timescale
        assert_right(connection, BEFORE)


def test_it_is_right_when_it_was_killed_and_goes_on(
    database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh = timescale.refresh_aggregates
    with monkeypatch.context() as patch:

        def fail_on_third_day(connection: psycopg.Connection, start: datetime, end: datetime) -> None:
            if start == RAW[2]:
                raise KeyboardInterrupt
            refresh(connection, start, end)

        patch.setattr(timescale, "refresh_aggregates", fail_on_third_day)
        with pytest.raises(KeyboardInterrupt):
            finish(database)
    assert_right(database, BEFORE)

    history: History = [*BEFORE, late(RAW[0]), late(RAW[3]), of_day(DAYS[-1]), NOW + HOUR]
    for written in history[len(BEFORE) : -1]:
        assert isinstance(written, list)
        insert(database, written)
    for day in (RAW[0], RAW[3]):
        history += replace(database, day, 55.5)
    rollups.refresh(database, NOW + HOUR)
    assert flavour(database) is plain
    assert_right(database, history)

    insert(database, late(RAW[1]))
    history.append(late(RAW[1]))
    assert [progress.done for progress in finish(database)] == [1, 2, 3, 4, 5]
    assert flavour(database) is timescale
    assert_right(database, history)


def test_it_is_right_when_it_was_killed_after_the_switch(
    database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(convert, "FIRST_CONVERTED", "SELECT 1 / 0")
        with pytest.raises(psycopg.Error):
            finish(database)
    assert_right(database, BEFORE)
    insert(database, late(RAW[0]))
    rollups.refresh(database, NOW + 2 * HOUR)
    history = [*BEFORE, late(RAW[0])]
    assert_right(database, history)
    assert finish(database) == []
    assert_right(database, history)
    assert not convert.is_unfinished(database)


def test_it_takes_late_readings_afterwards_and_keeps_the_rollups_of_days_that_go(database: psycopg.Connection) -> None:
    finish(database)
    history: History = [*BEFORE, late(RAW[0]), late(RAW[2]), of_day(DAYS[-1])]
    for written in history[len(BEFORE) :]:
        assert isinstance(written, list)
        insert(database, written)
    assert_right(database, history)
    rollups.refresh(database, DAYS[-1] + 2 * DAY)
    assert database.execute("SELECT count(*) FROM rollup_dirty").fetchone() == (0,)
    assert_right(database, history)
    dropped = retention.enforce(database, RAW[2] + 31 * DAY, 30)
    assert dropped.days == [day.date() for day in RAW[:2]]
    assert_exact(database, keep(history, frozenset([REPLACED])), SENSORS)


def test_it_compresses_old_days_at_once(converted: psycopg.Connection) -> None:
    assert [day.is_compressed for day in timescale.raw_days(converted, DAYS[-1])] == [True, False, False]


def test_it_refuses_where_readings_are_missing_and_goes_back_when_abandoned(database: psycopg.Connection) -> None:
    before = tables(database)
    next(unfinished := convert.convert(database, COMPRESS_BEFORE))
    unfinished.close()
    gone = (
        "DELETE FROM reading WHERE time = %s RETURNING sensor, (extract(epoch FROM time) * 1e6)::bigint, value, quality"
    )
    readings = database.execute(gone, [RAW[0]]).fetchall()
    with pytest.raises(convert.ConversionError, match="deleted by hand"):
        finish(database)
    assert convert.abandon(database)
    assert tables(database) == before
    insert(database, readings)
    assert_right(database, BEFORE)
    assert not convert.abandon(database)


def test_it_does_not_go_back_from_timescaledb(converted: psycopg.Connection) -> None:
    with pytest.raises(convert.ConversionError, match="no way back"):
        convert.abandon(converted)


def test_it_stays_plain_until_it_is_converted(url: str) -> None:
    """`migrate` makes the extension wherever the server offers it."""
    migrate(url)
    history: History = [*BEFORE, late(RAW[0])]
    with connect(url) as connection:
        assert connection.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").rowcount == 1
        assert flavour(connection) is plain
        insert(connection, late(RAW[0]))
        rollups.refresh(connection, NOW + HOUR)
        assert_right(connection, history)
    manage(url, "convert_to_timescale")
    manage(url, "migrate", "--check")
    with connect(url) as connection:
        assert_right(connection, history)


SCHEMA = {
    "views": r"""
        SELECT viewname, regexp_replace(definition, '_hypertable_\d+|watermark\(\d+\)', '#', 'g') FROM pg_views
        WHERE viewname ~ '^(base|continuous|reading)_1[mhd]$' ORDER BY 1
    """,
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'reading' ORDER BY 1",
    "constraints": """
        SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = 'reading'::regclass AND contype <> 'n' ORDER BY 1
    """,
    "columns": """
        SELECT attname, atttypid::regtype::text, attnum, attnotnull FROM pg_attribute
        WHERE attrelid = 'reading'::regclass AND attnum > 0 ORDER BY attnum
    """,
    "triggers": "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'reading'::regclass ORDER BY 1",
    "chunks of a day": "SELECT hypertable_name, time_interval FROM timescaledb_information.dimensions "
    "WHERE hypertable_name = 'reading'",
    "compression": "SELECT * FROM timescaledb_information.compression_settings WHERE hypertable_name = 'reading'",
    "aggregates": """
        SELECT view_name, materialized_only, finalized FROM timescaledb_information.continuous_aggregates ORDER BY 1
    """,
    "functions": "SELECT proname FROM pg_proc WHERE proname ~ '^(inqube|reading)' ORDER BY 1",
}


def tables(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') "
        "ORDER BY relname"
    )
    return [name for (name,) in rows]


def test_it_leaves_what_a_new_database_has(converted: psycopg.Connection, timescale: psycopg.Connection) -> None:
    for name, query in SCHEMA.items():
        assert converted.execute(query).fetchall() == timescale.execute(query).fetchall(), name
    partitions = {name for name in tables(converted) if name.startswith("rollup_1m_p")}
    assert set(tables(converted)) - partitions == set(tables(timescale))
