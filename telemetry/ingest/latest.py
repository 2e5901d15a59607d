"""Stage 6 of 8 — store: `latest` moves forward, inside the transaction of the store."""

import numpy as np
import psycopg

from alarms.quick import Before
from telemetry.ingest.arrays import array_cursor
from telemetry.ingest.columns import Columns
from telemetry.ingest.insert import Fates
from telemetry.readings import Reading

# Rows come in the order of their sensor, so that two processes never wait for each other in a circle. What was the
# latest is kept in the row: no other way tells it as it was at the moment when the row was locked.
UPSERT = """
WITH advanced AS (
    INSERT INTO latest AS l (sensor, time, value, quality, received_at)
    SELECT sensor, time, value, quality, statement_timestamp()
    FROM unnest(%s::int[], %s::timestamptz[], %s::float8[], %s::int2[]) AS new (sensor, time, value, quality)
    ON CONFLICT (sensor) DO UPDATE
    SET time = excluded.time, value = excluded.value, quality = excluded.quality, received_at = excluded.received_at,
        before_time = l.time, before_value = l.value, before_quality = l.quality
    WHERE l.time <= excluded.time
    RETURNING sensor, before_time, before_value, before_quality
)
SELECT array_agg(sensor), array_agg(coalesce(before_time, '-infinity')), array_agg(coalesce(before_value, 'NaN')),
       array_agg(coalesce(before_quality, 0::int2))
FROM advanced
"""
ALWAYS = 2**63 - 1  # after all times, in µs
NOTHING = Before(np.array([], np.int32), np.array([], np.int64), np.array([], np.float64), np.array([], np.int16))


def advance(connection: psycopg.Connection, rows: Columns, fates: Fates) -> tuple[list[Reading], Before]:
    """Moves `latest` forward where changed rows are newer; gives those, and what was the latest of their sensors.

    Notes which of the stored are late.
    """
    if not fates.changed.any():
        return [], NOTHING
    candidates = newest_of_each(rows.take(fates.changed))
    before = upsert(connection, candidates)
    advanced = np.searchsorted(candidates.sensor, before.sensor)
    before_us = np.full(len(candidates.sensor), ALWAYS)
    before_us[advanced] = before.time_us
    place = np.searchsorted(candidates.sensor, rows.sensor).clip(max=len(before_us) - 1)  # of what did not change: any
    fates.late = fates.stored & (rows.time_us < before_us[place])
    return candidates.take(advanced).rows(), before


def upsert(connection: psycopg.Connection, candidates: Columns) -> Before:
    """Moves `latest` forward where a candidate, one at most of a sensor, is as new or newer; gives what was there."""
    sensor, time_us, value, quality = candidates
    with array_cursor(connection) as cursor:
        found = cursor.execute(UPSERT, [sensor, time_us.view("M8[us]"), value, quality]).fetchone()
    assert found is not None
    if found[0] is None:
        return NOTHING
    order = np.argsort(found[0])
    numbers, times, values, qualities = (column[order] for column in found)
    return Before(numbers, times.view(np.int64), values, qualities)


def newest_of_each(rows: Columns) -> Columns:
    """The newest row of each sensor, by sensor; of equal times the last in order."""
    order = np.lexsort((rows.time_us, rows.sensor))  # stable: equal keys keep their order
    by_sensor = rows.sensor[order]
    is_last = np.append(by_sensor[1:] != by_sensor[:-1], True)
    return rows.take(order[is_last])
