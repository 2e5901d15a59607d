"""The conversion's parts that plain PostgreSQL has too: what is written twice, what waits, and what a server lacks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from plants.models import Plant, Sensor
from plants.scales import GOOD
from telemetry.ingest.store import Store, connect
from telemetry.storage import convert, plain, retention, rollups
from telemetry.tests.samples import us
from telemetry.tests.storage.histories import START
from telemetry.tests.storage.past import DAYS, KEEP_DAYS, NOW, clear, readings

pytestmark = pytest.mark.django_db(transaction=True)

SENSOR = 1
ROWS = sql.SQL("SELECT sensor, time, value, quality FROM {} ORDER BY sensor, time")


@pytest.fixture
def database() -> Iterator[psycopg.Connection]:
    with connect() as connection:
        clear(connection)
        yield connection
        clear(connection)


@pytest.fixture
def converting(database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A database whose conversion has begun, with a table where the hypertable would be."""
    database.execute("CREATE TABLE reading_hypertable (LIKE reading, PRIMARY KEY (sensor, time))")
    database.execute(convert.WRITE_TWICE, prepare=False)
    yield database
    database.execute(convert.STOP_WRITING_TWICE, prepare=False)
    database.execute("DROP TABLE reading_hypertable")


def test_it_writes_twice_whatever_ingest_writes(converting: psycopg.Connection, kandy: Plant) -> None:
    """Copied, merged with what is there, and replaced."""
    keeping, replacing = Sensor.objects.order_by("number")[:2]
    Sensor.objects.filter(pk=replacing.pk).update(duplicate_policy=Sensor.DuplicatePolicy.REPLACE)
    numbers = [keeping.number, replacing.number]
    store = Store()
    for value, minutes in ((1.0, range(3)), (2.0, range(1, 5)), (2.0, range(5)), (3.0, range(9, 10))):
        store.write([(n, us(START + timedelta(minutes=minute)), value, GOOD) for n in numbers for minute in minutes])
    store.close()
    rows = [
        converting.execute(ROWS.format(sql.Identifier(name))).fetchall() for name in ("reading", "reading_hypertable")
    ]
    assert [value for sensor, _, value, _ in rows[0] if sensor == replacing.number] == [2.0, 2.0, 2.0, 2.0, 2.0, 3.0]
    assert rows[1] == rows[0]


def test_it_keeps_retention_waiting(converting: psycopg.Connection) -> None:
    plain.ensure_days(converting, [day.date() for day in DAYS])
    store = Store()
    store.write(readings(SENSOR))
    store.close()
    rollups.refresh(converting, NOW)
    dropped = retention.enforce(converting, NOW, KEEP_DAYS)
    assert dropped.days == []
    assert {day: "conversion" in reason for day, reason in dropped.held} == {day.date(): True for day in DAYS[:2]}


def test_it_gives_up_where_others_hold_locks_for_too_long(
    database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(convert, "LOCK_TRIES", 2)
    monkeypatch.setattr(convert, "LOCK_PAUSE_S", 0.0)
    with connect() as writer, writer.transaction(), writer.cursor() as cursor:
        rollups.begin_writing(cursor)
        with pytest.raises(convert.ConversionError, match="hold locks"):
            list(convert.convert(database, datetime(2026, 1, 1, tzinfo=UTC)))
    assert not convert.is_unfinished(database)


def test_it_runs_once_at_a_time(database: psycopg.Connection) -> None:
    with connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [convert.CONVERT_LOCK])
        with pytest.raises(convert.ConversionError, match="Another conversion"):
            convert.abandon(database)


def test_it_says_what_a_server_without_timescaledb_lacks(database: psycopg.Connection) -> None:
    with pytest.raises(convert.ConversionError, match="shared_preload_libraries"):
        convert.ensure_extension(database)
