"""Reads for the checker what is in the database, on a connection of its own and in plain SQL."""

from collections.abc import Sequence
from datetime import datetime

import orjson
import psycopg
from psycopg import sql

from telemetry.readings import Reason
from telemetry.tests.faults.checker import Contents, Entry, Letter
from telemetry.tests.samples import us
from telemetry.tests.storage.histories import COLUMNS, LEVELS

READINGS = "SELECT sensor, time, value, quality FROM reading WHERE sensor = ANY(%s)"
LATEST = "SELECT sensor, time, value, quality FROM latest WHERE sensor = ANY(%s)"
LEDGER = "SELECT source, received, stored, duplicate, conflict, dead FROM ledger"
LETTERS = "SELECT topic, payload, reason, address FROM dead_letter"
ADDRESSES = """
SELECT concat_ws('/', plant.slug, zone.slug, machine.slug, sensor.slug), sensor.number
FROM plants_sensor AS sensor
JOIN plants_machine AS machine ON machine.id = sensor.machine_id
JOIN plants_zone AS zone ON zone.id = machine.zone_id
JOIN plants_plant AS plant ON plant.id = zone.plant_id
"""


def contents(connection: psycopg.Connection, sensors: Sequence[int]) -> Contents:
    """All dead letters, the ledger, and of these sensors all readings, the latest and the rollups, as of one moment."""
    numbers = list(sensors)
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        readings = connection.execute(READINGS, [numbers]).fetchall()
        latest = connection.execute(LATEST, [numbers]).fetchall()
        letters = connection.execute(LETTERS).fetchall()
        ledger = [Entry(*row) for row in connection.execute(LEDGER)]
        number_of: dict[str, int] = dict(connection.execute(ADDRESSES).fetchall())
        rollups = {}
        for level in LEVELS:
            query = sql.SQL("SELECT {} FROM {} WHERE sensor = ANY(%s)")
            relation = sql.Identifier(f"reading_{level}")
            rollups[level] = connection.execute(query.format(sql.SQL(COLUMNS), relation), [numbers]).fetchall()
    return Contents(
        [(sensor, us(time), value, quality) for sensor, time, value, quality in readings],
        {sensor: (us(time), value, quality) for sensor, time, value, quality in latest},
        [_letter(topic, bytes(payload), Reason(reason), number_of.get(at)) for topic, payload, reason, at in letters],
        rollups,
        ledger,
    )


def _letter(topic: str, payload: bytes, reason: Reason, sensor: int | None) -> Letter:
    if reason is not Reason.DATABASE_REJECTED or sensor is None:
        return Letter(topic, payload, reason)
    return Letter(topic, payload, reason, (sensor, us(datetime.fromisoformat(orjson.loads(payload)["ts"]))))
