"""Rows and checksums: the same for the same contents, however they lie, and different for any other."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from psycopg import Connection

from inqube.backup import contents
from inqube.backup.contents import Held
from plants.models import Plant, Sensor
from telemetry.storage import plain

DAY = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def database(kandy: Plant) -> Connection:
    """In the test's transaction, with two days of readings."""
    connection.ensure_connection()
    assert isinstance(connection.connection, Connection)
    plain.ensure_days(connection.connection, [DAY.date(), DAY.date() + timedelta(days=1)])
    number = Sensor.objects.values_list("number", flat=True)[0]
    for hours in range(0, 48, 6):
        connection.connection.execute(
            "INSERT INTO reading (sensor, time, value, quality) VALUES (%s, %s, %s, 192)",
            [number, DAY + timedelta(hours=hours), hours / 3],
        )
    return connection.connection


def read(database: Connection) -> dict[str, Held]:
    return contents.read(database, contents.tables(database))


def test_it_counts_each_table_and_readings_by_day(database: Connection) -> None:
    found = read(database)
    assert found["plants_sensor"]["rows"] == 3
    assert found["reading"]["rows"] == 8
    assert {day: rows for day, (rows, _) in found["reading"]["days"].items()} == {"2026-11-28": 4, "2026-11-29": 4}
    assert not [name for name in found if name.startswith("reading_p")]


def test_it_is_the_same_in_any_order_and_with_any_settings(database: Connection) -> None:
    before = read(database)
    for setting in ("timezone = 'Asia/Colombo'", "datestyle = 'German'", "extra_float_digits = -5"):
        database.execute(f"SET LOCAL {setting}")
    database.execute("CREATE TEMP TABLE moved AS SELECT * FROM reading ORDER BY time DESC")
    database.execute("DELETE FROM reading")
    database.execute("INSERT INTO reading SELECT * FROM moved")
    assert contents.differences(before, read(database)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "UPDATE reading SET value = value + 1e-15 WHERE time = '2026-11-28T12:00Z'",
            r"reading of 2026-11-28 has as many rows as the backup, 4, but not the same ones \(\w{16}, not \w{16}\)\.",
        ),
        (
            "DELETE FROM reading WHERE time > '2026-11-29T01:00Z'",
            r"reading of 2026-11-29 has 1 rows where the backup has 4\.",
        ),
        (
            "UPDATE plants_zone SET name = 'Roll'",
            r"plants_zone has as many rows as the backup, 1, but not the same ones .*",
        ),
        ("CREATE TABLE more (n int)", r"more was not in the backup\."),
        ("ALTER TABLE latest RENAME TO first", r"first was not in the backup\.\nlatest is missing\."),
    ],
)
def test_it_tells_every_change(database: Connection, change: str, told: str) -> None:
    before = read(database)
    database.execute(change)
    found = "\n".join(line for line in contents.differences(before, read(database)) if "event" not in line)
    assert re.fullmatch(told, found), found


def test_it_tells_a_few_of_many_differences() -> None:
    of_many: dict[str, Held] = {f"table_{n}": {"rows": 1, "checksum": "0" * 16} for n in range(30)}
    assert len(contents.differences(of_many, {})) == contents.MAX_DIFFERENCES + 1


def test_it_finds_sequences_that_would_give_a_number_again(database: Connection) -> None:
    assert contents.sequences_behind(database) == []
    database.execute("SELECT setval('plants_sensor_number', 1)")
    told = "plants_sensor_number is at 1, behind plants_sensor.number at "
    assert any(behind.startswith(told) for behind in contents.sequences_behind(database))
