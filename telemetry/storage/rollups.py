"""Keeps `reading_1m`, `reading_1h` and `reading_1d` exact: marks for late readings, and the refresh that clears them.

The relations (telemetry/migrations/0003_rollups.py) take a bucket from what is stored, unless it is newer than
`rollup_state.shown_to` or its hour has a mark; those they compute from `reading`. So they are right if every reading
older than `shown_to` is either in the stored buckets or has a mark. This is how that holds:

- Whoever writes readings holds ROLLUP_LOCK shared until the commit, reads `mark_from` after taking it, and leaves a
  mark for each (sensor, hour) with a reading before `mark_from`.
- A refresh takes the lock alone, for a moment in which nobody is writing, to move `mark_from` forward and to set
  the marks apart that are there (`taken`). What those marks and the new buckets are about is committed then, and
  what is written later has a new mark. Then, without the lock, it stores the buckets up to `mark_from`, recomputes
  the hours it has taken, and only with the result of each takes the marks away.

A refresh that dies leaves its marks taken; the next one goes on with them.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, Cursor

from telemetry.storage import flavour
from telemetry.storage.buckets import MINUTE, Mark, day_steps, floor

# Between writers and a refresh, and between two refreshes. Any constants of our own will do.
ROLLUP_LOCK = 0x1_9BE_0003
REFRESH_LOCK = 0x1_9BE_0004

REFRESH_EVERY_S = 60
SETTLE = timedelta(minutes=5)  # readings up to so late leave no mark; queries compute so much from `reading`
WAIT_FOR_WRITERS = "10s"  # while a refresh waits for the lock, new writers wait behind it
HOUR_US = 3_600_000_000
MARKS_AT_ONCE = 200  # hours recomputed in one transaction: up to 720,000 readings of sensors at 1 Hz

# Two statements, because the second must see what was committed while the first waited for the lock.
BEGIN_WRITING = f"""
SELECT pg_advisory_xact_lock_shared({ROLLUP_LOCK});
SELECT (extract(epoch FROM mark_from) * 1000000)::bigint FROM rollup_state
"""
# No mark where raw readings were dropped (RAW_RETENTION_DAYS has been raised since): to compute such an hour anew would
# lose all that its bucket knows.
LEAVE_MARKS = """
INSERT INTO rollup_dirty (sensor, hour, taken)
SELECT sensor, to_timestamp(hour * 3600.0), false FROM unnest(%s::int[], %s::bigint[]) AS late (sensor, hour)
WHERE to_timestamp(hour * 3600.0) >= coalesce((SELECT raw_from FROM rollup_state), '-infinity')
ON CONFLICT DO NOTHING
"""
TAKE_MARKS = """
WITH untaken AS (DELETE FROM rollup_dirty WHERE NOT taken RETURNING sensor, hour)
INSERT INTO rollup_dirty (sensor, hour, taken) SELECT sensor, hour, true FROM untaken ON CONFLICT DO NOTHING
"""


class Refreshed(NamedTuple):
    """What a refresh did: buckets are stored up to `shown_to`, and so many hours of sensors were recomputed."""

    shown_to: datetime
    hours: int


def begin_writing(cursor: Cursor) -> int:
    """First in every transaction that writes readings: before what time they need a mark, in µs since 1970 UTC."""
    cursor.execute(BEGIN_WRITING, prepare=False)
    cursor.nextset()
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def leave_marks(cursor: Cursor, mark_from_us: int, sensor: NDArray[np.int32], time_us: NDArray[np.int64]) -> None:
    """Marks the hours of those of these new readings that are late; in the transaction that writes them.

    Args:
        mark_from_us: what `begin_writing` gave in this transaction.
        sensor, time_us: the readings' sensors and times in µs since 1970 UTC, each of shape (n,).
    """
    late = time_us < mark_from_us
    if not late.any():
        return
    # In one order for all, so that two writers never wait for each other's marks in a circle.
    marks = np.unique(np.stack([sensor[late].astype(np.int64), time_us[late] // HOUR_US]), axis=1)
    cursor.execute(LEAVE_MARKS, [marks[0].tolist(), marks[1].tolist()])


def refresh(connection: Connection, now: datetime) -> Refreshed | None:
    """Brings the stored buckets up to `SETTLE` before now, and clears the marks; None while another refresh runs.

    Args:
        connection: in autocommit; TimescaleDB refreshes outside transactions only.

    Raises:
        psycopg.errors.LockNotAvailable: a writer's transaction lasts longer than WAIT_FOR_WRITERS; call again later.
    """
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [REFRESH_LOCK]).fetchone()
    if row != (True,):
        return None
    try:
        return _refresh(connection, now)
    finally:
        if not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", [REFRESH_LOCK])


def _refresh(connection: Connection, now: datetime) -> Refreshed:
    storage = flavour(connection)
    shown_to, mark_from = _take(connection, floor(now - SETTLE, MINUTE))
    for start, end in day_steps(shown_to, mark_from):
        storage.store_buckets(connection, start, end)
    hours = 0
    while marks := _taken_marks(connection):
        storage.recompute(connection, marks, mark_from)
        hours += len(marks)
    return Refreshed(mark_from, hours)


def _take(connection: Connection, mark_from: datetime) -> tuple[datetime, datetime]:
    """Moves `mark_from` forward and takes the marks; `shown_to` and `mark_from` after it, in UTC."""
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{WAIT_FOR_WRITERS}'")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ROLLUP_LOCK])
        connection.execute(TAKE_MARKS)
        row = connection.execute(
            "UPDATE rollup_state SET mark_from = greatest(mark_from, %s) RETURNING shown_to, mark_from", [mark_from]
        ).fetchone()
    assert row is not None
    return row[0].astimezone(UTC), row[1].astimezone(UTC)


def _taken_marks(connection: Connection) -> list[Mark]:
    """The oldest hours of those taken, in UTC."""
    rows = connection.execute(
        "SELECT sensor, hour FROM rollup_dirty WHERE taken ORDER BY hour, sensor LIMIT %s", [MARKS_AT_ONCE]
    )
    return [Mark(sensor, hour.astimezone(UTC)) for sensor, hour in rows]
