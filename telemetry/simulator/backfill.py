"""Writes the demo factory's history into the database, from where each sensor's readings end."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter

import numpy as np
from psycopg import Connection

from plants.demo_factory import PLANTS, Place, places
from telemetry.ingest.columns import Columns
from telemetry.ingest.copy import COPY_READINGS, copy_rows
from telemetry.ingest.latest import newest_of_each, upsert
from telemetry.simulator.history import DENSE_S, history
from telemetry.simulator.signals import Signal
from telemetry.storage import flavour
from telemetry.storage.rollups import begin_writing, leave_marks

# Two that seed at once would both find the same gap to fill. Any constant of our own will do.
BACKFILL_LOCK = 0x1_9BE_0002

# By the primary key, one descent a sensor, instead of max() over a day of rows.
NEWEST_READINGS = """
SELECT s.number, newest.time FROM unnest(%s::int[]) AS s (number)
CROSS JOIN LATERAL (
    SELECT time FROM reading WHERE sensor = s.number AND time > %s ORDER BY time DESC LIMIT 1
) AS newest
"""


def backfill(
    connection: Connection, numbers: Mapping[str, int], now: datetime, hours: float
) -> Iterator[tuple[str, int]]:
    """Fills the last `hours` up to `now`, but only what lies after each sensor's newest reading.

    So a second run after a pause fills the pause, and nothing that devices sent is touched. A machine is one
    transaction; yields its address and the number of readings written, machine by machine.

    Args:
        numbers: `Sensor.number` by address, of every sensor of the demo factory.
    """
    start = now - timedelta(hours=hours)
    days = {start.astimezone(UTC).date() + timedelta(days=day) for day in range(int(hours // 24) + 3)}
    flavour(connection).ensure_days(connection, days)
    for machine_address, of_machine in groupby(places(PLANTS), attrgetter("machine_address")):
        yield machine_address, _backfill_machine(connection, list(of_machine), numbers, start, now)


def _backfill_machine(
    connection: Connection, of_machine: list[Place], numbers: Mapping[str, int], start: datetime, now: datetime
) -> int:
    by_number = {numbers[place.address]: place for place in of_machine}
    dense_from = now.timestamp() - DENSE_S
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BACKFILL_LOCK])
        newest: dict[int, datetime] = dict(cursor.execute(NEWEST_READINGS, [list(by_number), start]).fetchall())
        rows = _joined(
            history(Signal(place), number, newest.get(number, start).timestamp(), now.timestamp(), dense_from)
            for number, place in by_number.items()
        )
        if len(rows.sensor):
            mark_from_us = begin_writing(cursor)
            with cursor.copy(COPY_READINGS) as copy:
                copy.write(copy_rows(rows.time_us, rows.value, rows.quality, rows.sensor))
            upsert(connection, newest_of_each(rows))
            leave_marks(cursor, mark_from_us, rows.sensor, rows.time_us)
    return len(rows.sensor)


def _joined(histories: Iterator[Columns]) -> Columns:
    sensor, time_us, value, quality = zip(*histories, strict=True)
    return Columns(*map(np.concatenate, (sensor, time_us, value, quality)))
