"""`latest` is put right where it is behind `reading`, and beside running ingest never moves back."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from plants.models import Plant, Sensor
from telemetry.maintenance import connect
from telemetry.storage import latest
from telemetry.tests.samples import us, write

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
GOOD = 192


@pytest.fixture
def database() -> Iterator[Connection]:
    with connect() as connection:
        yield connection


@pytest.fixture
def sensor(kandy: Plant) -> int:
    """A sensor with readings at 11:59 and 12:00 of values 1 and 2."""
    number = Sensor.objects.get(slug="temp").number
    write([(number, us(NOON - timedelta(minutes=1)), 1.0, GOOD), (number, us(NOON), 2.0, GOOD)])
    return number


def stored(database: Connection, sensor: int) -> tuple[Any, ...]:
    row = database.execute(
        "SELECT time, value, quality, received_at FROM latest WHERE sensor = %s", [sensor]
    ).fetchone()
    assert row is not None
    return row


def test_it_leaves_what_is_right(database: Connection, sensor: int) -> None:
    before = stored(database, sensor)
    assert latest.repair(database) == 0
    assert stored(database, sensor) == before


def test_it_moves_forward_what_is_behind(database: Connection, sensor: int) -> None:
    database.execute("UPDATE latest SET time = time - interval '1 hour', value = 7, received_at = time")
    assert latest.repair(database) == 1
    assert stored(database, sensor) == (NOON, 2.0, GOOD, NOON)


def test_it_corrects_the_value_of_the_same_time(database: Connection, sensor: int) -> None:
    received_at = stored(database, sensor)[3]
    database.execute("UPDATE latest SET value = 7, quality = 0")
    assert latest.repair(database) == 1
    assert stored(database, sensor) == (NOON, 2.0, GOOD, received_at)


def test_it_adds_what_is_missing(database: Connection, sensor: int) -> None:
    database.execute("DELETE FROM latest")
    assert latest.repair(database) == 1
    assert stored(database, sensor) == (NOON, 2.0, GOOD, NOON)


def test_it_keeps_what_reading_has_no_more(database: Connection, sensor: int) -> None:
    database.execute("DELETE FROM reading WHERE time = %s", [NOON])
    assert latest.repair(database) == 0
    assert stored(database, sensor)[:2] == (NOON, 2.0)


def test_it_does_not_undo_what_ingest_commits_meanwhile(database: Connection, sensor: int) -> None:
    """A value of the same time is replaced while the repair waits for the row: the repair must see it."""
    database.execute("UPDATE latest SET value = 7")
    with connect() as ingest:
        with ingest.transaction():
            ingest.execute("UPDATE reading SET value = 3 WHERE sensor = %s AND time = %s", [sensor, NOON])
            ingest.execute("UPDATE latest SET value = 3 WHERE sensor = %s", [sensor])
            repairing = threading.Thread(target=latest.repair, args=(database,))
            repairing.start()
            while not ingest.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount:
                pass
        repairing.join()
        assert stored(ingest, sensor)[:2] == (NOON, 3.0)
