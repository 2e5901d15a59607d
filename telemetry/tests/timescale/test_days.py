"""Days of readings on TimescaleDB: compressed, written to when they are, dropped while their rollups stay."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from telemetry.storage import retention, rollups, timescale
from telemetry.tests.storage.past import DAYS, KEEP_DAYS, NOW, clear, raw_by_day, readings
from telemetry.tests.timescale.test_rollups import insert

pytestmark = pytest.mark.timescale

DATES = [day.date() for day in DAYS]
SENSOR = 1


@pytest.fixture
def historian(timescale: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Readings in each of DAYS, and the rollups of them stored."""
    start_over(timescale)
    insert(timescale, readings(SENSOR))
    rollups.refresh(timescale, NOW)
    yield timescale
    start_over(timescale)


def start_over(connection: psycopg.Connection) -> None:
    """Also in the continuous aggregates, which forget nothing when readings go."""
    clear(connection)
    for level in ("continuous_1m", "continuous_1h", "continuous_1d"):
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(level)))


def compressed(connection: psycopg.Connection) -> list[bool]:
    return [day.is_compressed for day in timescale.raw_days(connection, NOW)]


def is_partial(connection: psycopg.Connection) -> bool:
    """Whether the first of DAYS holds readings beside its compressed ones; only the catalogue tells."""
    row = connection.execute(
        "SELECT status & 8 <> 0 FROM _timescaledb_catalog.chunk AS chunk "
        "JOIN timescaledb_information.chunks ON chunk.table_name = chunk_name "
        "WHERE hypertable_name = 'reading' AND range_start = %s",
        [DAYS[0]],
    ).fetchone()
    assert row is not None
    return bool(row[0])


def daily(connection: psycopg.Connection) -> list[tuple[int, float]]:
    rows = connection.execute("SELECT n, sum FROM reading_1d WHERE sensor = %s ORDER BY bucket", [SENSOR])
    return [(n, total) for n, total in rows]


def test_it_knows_its_days(historian: psycopg.Connection) -> None:
    days = timescale.raw_days(historian, DAYS[3])
    assert [day.day for day in days] == DATES[:3]
    assert all(day.bytes > 0 for day in days)


def test_it_compresses_days_once(historian: psycopg.Connection) -> None:
    assert timescale.compress_before(historian, DAYS[2]) == DATES[:2]
    assert compressed(historian) == [True, True, False, False]
    assert timescale.compress_before(historian, DAYS[3]) == [DATES[2]]
    assert raw_by_day(historian) == {str(day): 5 for day in DATES}


def test_it_lays_a_sensor_s_readings_together_by_time(historian: psycopg.Connection) -> None:
    settings = historian.execute(
        "SELECT attname, segmentby_column_index, orderby_column_index, orderby_asc "
        "FROM timescaledb_information.compression_settings WHERE hypertable_name = 'reading' ORDER BY attname"
    ).fetchall()
    assert settings == [("sensor", 1, None, None), ("time", None, 1, True)]


def test_it_takes_late_readings_into_compressed_days_and_compresses_them_again(historian: psycopg.Connection) -> None:
    timescale.compress_before(historian, DAYS[2])
    late = readings(SENSOR, [DAYS[0] + timedelta(hours=2)])
    insert(historian, late)
    insert(historian, late)
    assert is_partial(historian)
    rollups.refresh(historian, NOW)
    assert raw_by_day(historian)[str(DATES[0])] == 6
    assert daily(historian)[0] == (6, 10.0)
    assert timescale.compress_before(historian, DAYS[2]) == []
    assert not is_partial(historian)
    assert raw_by_day(historian)[str(DATES[0])] == 6


@pytest.mark.parametrize("is_compressed", [False, True])
def test_it_drops_days_and_keeps_their_rollups(historian: psycopg.Connection, is_compressed: bool) -> None:
    if is_compressed:
        timescale.compress_before(historian, DAYS[2])
    before = daily(historian)
    planned = retention.plan(historian, NOW, KEEP_DAYS)
    counted = retention.readings_by_day(historian, planned.going)
    dropped = retention.enforce(historian, NOW, KEEP_DAYS)
    assert counted == dict.fromkeys(DATES[:2], 5)
    assert (dropped.days, dropped.bytes) == (DATES[:2], sum(day.bytes for day in planned.going))
    assert raw_by_day(historian) == {str(day): 5 for day in DATES[2:]}
    rollups.refresh(historian, NOW + timedelta(hours=1))
    assert daily(historian) == before
    assert len(before) == 4


def test_it_keeps_a_day_with_late_readings_that_are_not_in_the_rollups(historian: psycopg.Connection) -> None:
    insert(historian, readings(SENSOR, [DAYS[0] + timedelta(hours=23)]))
    dropped = retention.enforce(historian, NOW, KEEP_DAYS)
    assert dropped.days == [DATES[1]]
    assert [held.day for held in dropped.held] == [DATES[0]]
    assert raw_by_day(historian)[str(DATES[0])] == 6


def test_it_has_no_policies_beside_the_worker(historian: psycopg.Connection) -> None:
    """One would drop readings whose late ones are not in the rollups yet."""
    policies = historian.execute(
        "SELECT proc_name FROM timescaledb_information.jobs WHERE hypertable_name = 'reading'"
    ).fetchall()
    assert policies == []
