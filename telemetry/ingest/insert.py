"""Stage 6 of 8 — store: the ways into `reading`, inside the transaction of the store.

The quick one copies rows that are all new. Where it fails, the thorough one goes through a temporary table, so that
what was delivered again vanishes, and finds what the database refuses. Both leave the same rows.
"""

from collections.abc import Callable
from typing import LiteralString

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import errors

from plants.scales import microseconds
from telemetry.ingest.columns import Columns
from telemetry.ingest.copy import COPY_READINGS, copy_rows

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

# What is there now for each row of the batch, by its place in it: the same, or a different value for a (sensor, time)
# that was taken, a conflict. Where the sensor's policy is to replace, the last of them wins; else the first stays.
FIND = """
SELECT (incoming.position - (SELECT min(position) FROM incoming))::int,
       (incoming.value, incoming.quality) IS DISTINCT FROM (reading.value, reading.quality)
FROM incoming JOIN reading USING (sensor, time)
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
LIFT_DECOMPRESSION_LIMIT: LiteralString = "SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0"

VANISHED = "it took the row and does not have it, which a trigger or a rule may have done"


class Fates:
    """What becomes of each of n readings, by their places in the batch; each array has shape (n,)."""

    def __init__(self, n: int) -> None:
        self.stored = np.zeros(n, np.bool_)
        self.duplicate = np.zeros(n, np.bool_)
        self.conflict = np.zeros(n, np.bool_)
        self.changed = np.zeros(n, np.bool_)  # stands in `reading` now and did not before: stored, or replaced
        self.late = np.zeros(n, np.bool_)  # among the stored
        self.refused: dict[int, str] = {}  # why, in the database's words


def is_refusal_of_a_row(error: psycopg.Error) -> bool:
    """Whether the rows are at fault, not the database."""
    return isinstance(error, psycopg.DataError | psycopg.IntegrityError) and not is_missing_day(error)


def is_missing_day(error: psycopg.Error) -> bool:
    """A partition that is not there comes as a violation of no constraint."""
    return isinstance(error, errors.CheckViolation) and error.diag.constraint_name is None


Way = Callable[[psycopg.Cursor, Columns], Fates]


class NotAllCopiedError(Exception):
    """Something in the database, a trigger perhaps, has let rows vanish."""


def nothing(cursor: psycopg.Cursor, rows: Columns) -> Fates:
    return Fates(0)


def copy(cursor: psycopg.Cursor, rows: Columns) -> Fates:
    """The quick way, for rows that are all new; an error of the database if one is not."""
    fates = Fates(len(rows.sensor))
    with cursor.copy(COPY_READINGS) as stream:
        stream.write(copy_rows(rows.time_us, rows.value, rows.quality, rows.sensor))
    if cursor.rowcount != len(rows.sensor):
        raise NotAllCopiedError
    fates.stored[:] = fates.changed[:] = True
    return fates


def merge(cursor: psycopg.Cursor, rows: Columns) -> Fates:
    """The way for all rows: new, there already, or such that the database wants none of them."""
    cursor.execute(CREATE_INCOMING)
    cursor.execute(LOOK_UP_BY_KEY)
    fates = Fates(len(rows.sensor))
    _sift(cursor, rows, np.arange(len(rows.sensor)), fates)
    return fates


def merge_without_limit(cursor: psycopg.Cursor, rows: Columns) -> Fates:
    cursor.execute(LIFT_DECOMPRESSION_LIMIT)
    return merge(cursor, rows)


def _sift(cursor: psycopg.Cursor, rows: Columns, places: NDArray[np.intp], fates: Fates) -> None:
    """Merges the rows at these places; halves them until a row that the database refuses stands alone."""
    try:
        with cursor.connection.transaction():
            _merge_at(cursor, rows.take(places), places, fates)
    except psycopg.Error as error:
        if not is_refusal_of_a_row(error):
            raise
        if len(places) == 1:
            fates.refused[int(places[0])] = str(error).splitlines()[0]
            return
        middle = len(places) // 2
        _sift(cursor, rows, places[:middle], fates)
        _sift(cursor, rows, places[middle:], fates)


def _merge_at(cursor: psycopg.Cursor, rows: Columns, places: NDArray[np.intp], fates: Fates) -> None:
    cursor.execute("DELETE FROM incoming")  # what an earlier part has left
    with cursor.copy(COPY_INCOMING) as stream:
        stream.write(copy_rows(rows.time_us, rows.value, rows.quality, rows.sensor))
    new = cursor.execute(INSERT_NEW).fetchall()
    if len(new) == len(places):
        fates.stored[places] = fates.changed[places] = True
        return
    found = cursor.execute(FIND).fetchall()
    replaced = cursor.execute(REPLACE).fetchall() if any(differs for _, differs in found) else []
    first, last = _first_and_last(rows)
    stored = places[[first[sensor, microseconds(time)] for sensor, time in new]]
    fates.stored[stored] = fates.changed[stored] = True
    for sensor, time in replaced:
        key = sensor, microseconds(time)
        fates.changed[places[first[key]]] = False  # where it was new in this very batch
        fates.changed[places[last[key]]] = True
    for place, differs in found:
        (fates.conflict if differs else fates.duplicate)[places[place]] = True
    fates.duplicate[stored] = False
    vanished = np.ones(len(places), np.bool_)
    vanished[[place for place, _ in found]] = False
    fates.refused |= dict.fromkeys(places[vanished].tolist(), VANISHED)


def _first_and_last(rows: Columns) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    """For each (sensor, time in µs) the places of the first and the last row that has it."""
    keys = list(zip(rows.sensor.tolist(), rows.time_us.tolist(), strict=True))
    last = {key: place for place, key in enumerate(keys)}
    return {key: len(keys) - 1 - place for place, key in enumerate(reversed(keys))}, last
