"""The same migrations on TimescaleDB: a hypertable with the same columns and key."""

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from telemetry.storage import flavour
from telemetry.storage import timescale as timescale_storage
from telemetry.tests.storage.test_schema import COLUMNS, EXPECTED_COLUMNS, EXPECTED_KEY, PRIMARY_KEY

pytestmark = pytest.mark.timescale


def test_it_makes_readings_a_hypertable_of_day_chunks(timescale: psycopg.Connection) -> None:
    dimensions = timescale.execute(
        "SELECT column_name, time_interval::text FROM timescaledb_information.dimensions "
        "WHERE hypertable_name = 'reading'"
    ).fetchall()
    assert dimensions == [("time", "1 day")]


def test_it_has_the_columns_and_the_key_of_plain_postgresql(timescale: psycopg.Connection) -> None:
    assert timescale.execute(COLUMNS).fetchall() == EXPECTED_COLUMNS
    assert timescale.execute(PRIMARY_KEY).fetchall() == EXPECTED_KEY


def test_it_is_recognised(timescale: psycopg.Connection) -> None:
    assert flavour(timescale) is timescale_storage


def test_it_makes_chunks_by_itself_and_takes_each_reading_once(timescale: psycopg.Connection) -> None:
    insert = sql.SQL(
        "INSERT INTO reading (sensor, time, value, quality) VALUES (%s, %s, 1, 192) ON CONFLICT DO NOTHING"
    )
    timescale.execute("TRUNCATE reading")  # other tests use the same database
    days = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 28)]
    timescale_storage.ensure_days(timescale, [day.date() for day in days])
    for day in [*days, *days]:
        timescale.execute(insert, [1, day])
    assert timescale.execute("SELECT count(*) FROM reading WHERE sensor = 1").fetchone() == (3,)
    assert timescale.execute("SELECT count(*) FROM show_chunks('reading')").fetchone() == (3,)
