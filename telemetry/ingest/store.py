"""Stage 6 of 8 — store: one transaction for readings, what depends on them, and what could not become one.

The fast way copies the rows straight into `reading`. Where one of them is there already, the whole batch goes a
second way, through a temporary table, so that what was delivered again vanishes and only new readings go on to
`latest`. Both ways give the same rows.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import LiteralString, NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import errors

from telemetry.ingest import inbox
from telemetry.ingest.copy import COPY_READINGS, copy_rows
from telemetry.ingest.letters import Letter, Quota, letter_of_reading
from telemetry.readings import Reading, Reason, Rejected, instant, microseconds
from telemetry.storage import connection_params, flavour
from telemetry.storage.rollups import begin_writing, leave_marks

CANCEL_WITHIN_S = 2.0
DAY_US = 86_400_000_000

CREATE_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming (
    time timestamptz, value float8, quality int2, sensor int4, position int GENERATED ALWAYS AS IDENTITY
) ON COMMIT DELETE ROWS
"""
COPY_INCOMING = COPY_READINGS.replace("COPY reading", "COPY incoming")

# The planner knows nothing of `incoming` and may think of reading all of `reading` to join it.
LOOK_UP_BY_KEY = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off"

INSERT_NEW = """
INSERT INTO reading (time, value, quality, sensor)
SELECT time, value, quality, sensor FROM incoming ORDER BY position
ON CONFLICT DO NOTHING
RETURNING sensor, time
"""

# A second, different value for a (sensor, time) that is taken: a conflict. Where the sensor's policy is to replace,
# the last of them wins; else the first stays. What equals the stored row is a mere duplicate.
CONFLICTS = """
SELECT count(*) FROM incoming JOIN reading USING (sensor, time)
WHERE (incoming.value, incoming.quality) IS DISTINCT FROM (reading.value, reading.quality)
"""
REPLACE = """
UPDATE reading SET value = incoming.value, quality = incoming.quality
FROM (SELECT DISTINCT ON (sensor, time) * FROM incoming ORDER BY sensor, time, position DESC) AS incoming
JOIN plants_sensor ON plants_sensor.number = incoming.sensor AND plants_sensor.duplicate_policy = 'replace'
WHERE reading.sensor = incoming.sensor AND reading.time = incoming.time
  AND (incoming.value, incoming.quality) IS DISTINCT FROM (reading.value, reading.quality)
RETURNING reading.sensor, reading.time
"""

# TimescaleDB decompresses what late rows may collide with, and refuses (SQLSTATE 53400) where that is much. A historian
# takes late rows whatever they cost. 0 is no limit.
LIFT_DECOMPRESSION_LIMIT = "SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0"

# Rows come in the order of their sensor, so that two processes never wait for each other in a circle.
UPSERT_LATEST = """
INSERT INTO latest AS l (sensor, time, value, quality, received_at)
SELECT n.sensor, '1970-01-01Z'::timestamptz + n.time_us * interval '1 microsecond', n.value, n.quality,
       statement_timestamp()
FROM unnest(%s::int[], %s::bigint[], %s::float8[], %s::int2[]) AS n (sensor, time_us, value, quality)
ON CONFLICT (sensor) DO UPDATE
SET time = excluded.time, value = excluded.value, quality = excluded.quality, received_at = excluded.received_at
WHERE l.time <= excluded.time
RETURNING sensor
"""

ADDRESS = """
SELECT concat_ws('/', plant.slug, zone.slug, machine.slug, sensor.slug)
FROM plants_sensor AS sensor
JOIN plants_machine AS machine ON machine.id = sensor.machine_id
JOIN plants_zone AS zone ON zone.id = machine.zone_id
JOIN plants_plant AS plant ON plant.id = zone.plant_id
WHERE sensor.number = %s
"""


def connect() -> psycopg.Connection:
    """A connection to the database of the settings, in which transactions are opened by name."""
    return psycopg.connect(**connection_params(), autocommit=True)


class Columns(NamedTuple):
    """n readings by column, each of shape (n,); time in microseconds since 1970 UTC."""

    sensor: NDArray[np.int32]
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> "Columns":
        return Columns(self.sensor[chosen], self.time_us[chosen], self.value[chosen], self.quality[chosen])

    def rows(self) -> list[Reading]:
        return list(zip(*(column.tolist() for column in self), strict=True))


class Stored(NamedTuple):
    """What became of a batch's readings: stored + duplicate + conflict + len(rejected) is their number.

    `newest` are those readings that are now their sensor's latest.
    """

    stored: int
    duplicate: int
    conflict: int
    rejected: list[Rejected]
    newest: list[Reading]


NOTHING = Stored(0, 0, 0, [], [])
NO_ROWS = Columns(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int16))


def columns(readings: Sequence[Reading]) -> Columns:
    if not readings:
        return NO_ROWS
    sensor, time_us, value, quality = zip(*readings, strict=True)
    return Columns(
        np.array(sensor, np.int32),
        np.array(time_us, np.int64),
        np.array(value, np.float64),
        np.array(quality, np.int16),
    )


def newest_of_each(rows: Columns) -> Columns:
    """The newest row of each sensor, by sensor; of equal times the last in order."""
    order = np.lexsort((rows.time_us, rows.sensor))  # stable: equal keys keep their order
    by_sensor = rows.sensor[order]
    is_last = np.append(by_sensor[1:] != by_sensor[:-1], True)
    return rows.take(order[is_last])


def is_refusal_of_a_row(error: psycopg.Error) -> bool:
    """Whether the rows are at fault, not the database. A missing partition comes as a violation of no constraint."""
    if isinstance(error, errors.CheckViolation):
        return error.diag.constraint_name is not None
    return isinstance(error, psycopg.DataError | psycopg.IntegrityError)


class Store:
    """The one connection through which an ingest process writes; reconnects by itself after a failure.

    With a quota it leaves a letter for a reading that only the database refuses.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection] = connect, quota: Quota | None = None) -> None:
        self._connect = connect
        self._quota = quota
        self._connection: psycopg.Connection | None = None
        self._days: set[int] = set()  # UTC days since 1970 for which the database has room

    def write(self, readings: Sequence[Reading], letters: Sequence[Letter] = ()) -> Stored:
        """Stores the readings and letters, each once; after it returns they are committed.

        Raises:
            psycopg.Error: the database is away, too busy, or not as migrations left it. Either nothing was
                stored or all was and will be recognised: call again with the same readings and letters.
        """
        if not readings and not letters:
            return NOTHING
        try:
            return self._write(columns(readings), letters)
        except psycopg.Error as error:
            if is_refusal_of_a_row(error) and readings:
                return self._without_poison(readings, letters, error)
            self.close()
            raise

    def cancel(self) -> None:
        """Makes a `write` under way in another thread fail soon."""
        if self._connection is not None:
            self._connection.cancel_safe(timeout=CANCEL_WITHIN_S)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._days.clear()

    def _write(self, rows: Columns, letters: Sequence[Letter]) -> Stored:
        connection = self._ready()
        if not len(rows.sensor):
            with connection.transaction(), connection.cursor() as cursor:
                inbox.put(cursor, letters)
            return NOTHING
        self._ensure_days(connection, rows.time_us)
        data = copy_rows(rows.time_us, rows.value, rows.quality, rows.sensor)
        try:
            try:
                return self._copy(connection, rows, data, letters)
            except errors.UniqueViolation:
                return self._merge(connection, rows, data, letters)
        except errors.CheckViolation:
            # A partition that we knew was dropped meanwhile (retention): find out anew, once.
            self._days.clear()
            self._ensure_days(connection, rows.time_us)
            return self._merge(connection, rows, data, letters)
        except errors.ConfigurationLimitExceeded:
            return self._merge(connection, rows, data, letters, limit=LIFT_DECOMPRESSION_LIMIT)

    def _copy(self, connection: psycopg.Connection, rows: Columns, data: bytes, letters: Sequence[Letter]) -> Stored:
        with connection.transaction(), connection.cursor() as cursor:
            mark_from_us = begin_writing(cursor)
            with cursor.copy(COPY_READINGS) as copy:
                copy.write(data)
            newest = self._advance_latest(cursor, rows)
            leave_marks(cursor, mark_from_us, rows.sensor, rows.time_us)
            inbox.put(cursor, letters)
        return Stored(len(rows.sensor), 0, 0, [], newest)

    def _merge(
        self,
        connection: psycopg.Connection,
        rows: Columns,
        data: bytes,
        letters: Sequence[Letter],
        limit: LiteralString = "",
    ) -> Stored:
        connection.execute(CREATE_INCOMING)
        with connection.transaction(), connection.cursor() as cursor:
            mark_from_us = begin_writing(cursor)
            cursor.execute(LOOK_UP_BY_KEY)
            if limit:
                cursor.execute(limit)
            with cursor.copy(COPY_INCOMING) as copy:
                copy.write(data)
            new = cursor.execute(INSERT_NEW).fetchall()
            replaced: list[tuple[int, datetime]] = []
            conflict = 0
            if len(new) < len(rows.sensor):
                row = cursor.execute(CONFLICTS).fetchone()
                assert row is not None
                conflict = row[0]
                if conflict:
                    replaced = cursor.execute(REPLACE).fetchall()
            changed = _only(rows, new, replaced)
            newest = self._advance_latest(cursor, changed)
            leave_marks(cursor, mark_from_us, changed.sensor, changed.time_us)
            inbox.put(cursor, letters)
        return Stored(len(new), len(rows.sensor) - len(new) - conflict, conflict, [], newest)

    def _advance_latest(self, cursor: psycopg.Cursor, rows: Columns) -> list[Reading]:
        """Moves `latest` forward where these rows are newer, and returns those that are."""
        if not len(rows.sensor):
            return []
        candidates = newest_of_each(rows)
        cursor.execute(UPSERT_LATEST, [column.tolist() for column in candidates])
        advanced = {sensor for (sensor,) in cursor}
        return [reading for reading in candidates.rows() if reading[0] in advanced]

    def _without_poison(self, readings: Sequence[Reading], letters: Sequence[Letter], error: psycopg.Error) -> Stored:
        """Halves the batch until the row that the database refuses stands alone; stores all the others."""
        if len(readings) == 1:
            sensor, time_us, value, quality = readings[0]
            detail = (
                f"The database refused the value {value!r} of quality {quality} for {time_us} µs: "
                f"{str(error).splitlines()[0]}"
            )
            self.write([], [*letters, *self._poison_letter(readings[0], detail)])
            return Stored(0, 0, 0, [Rejected(f"sensor {sensor}", Reason.DATABASE_REJECTED, detail)], [])
        middle = len(readings) // 2
        first, second = self.write(readings[:middle], letters), self.write(readings[middle:])
        return Stored(
            first.stored + second.stored,
            first.duplicate + second.duplicate,
            first.conflict + second.conflict,
            first.rejected + second.rejected,
            first.newest + second.newest,
        )

    def _poison_letter(self, reading: Reading, detail: str) -> list[Letter]:
        found = self._ready().execute(ADDRESS, [reading[0]]).fetchone() if self._quota else None
        if self._quota is None or found is None:  # a sensor that is gone has no address; nobody misses its readings
            return []
        letter = letter_of_reading(found[0], reading, time.time_ns() // 1000, detail)
        return [letter] if self._quota.take(letter.source, letter.received_us) else []

    def _ready(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def _ensure_days(self, connection: psycopg.Connection, time_us: NDArray[np.int64]) -> None:
        """Makes room for the days of these times, and a day ahead, before the transaction that needs it."""
        days = set(np.unique(time_us // DAY_US).tolist())
        days.add(max(days) + 1)
        if not days <= self._days:
            flavour(connection).ensure_days(connection, [instant(day * DAY_US).date() for day in days])
            self._days |= days


def _only(rows: Columns, *chosen: list[tuple[int, datetime]]) -> Columns:
    """The last of the rows with each of these (sensor, time), and for inserted ones the values that stand."""
    wanted = {(sensor, microseconds(time)): kept for kept, pairs in enumerate(chosen) for sensor, time in pairs}
    index: dict[tuple[int, int], int] = {}
    for position, key in enumerate(zip(rows.sensor.tolist(), rows.time_us.tolist(), strict=True)):
        replaced = wanted.get(key)
        if replaced is None:
            continue
        if replaced or key not in index:  # inserted: the first of the batch stands; replaced: the last
            index[key] = position
    return rows.take(np.array(list(index.values()), np.intp))
