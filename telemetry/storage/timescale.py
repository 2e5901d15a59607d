"""TimescaleDB: the server makes chunks itself, and continuous aggregates hold the rollups."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from psycopg import Connection, sql

from telemetry.storage.buckets import DAY, HOUR, MINUTE, Mark, ceil, floor, runs
from telemetry.storage.days import RawDay, start_of

LEVELS = (("continuous_1m", MINUTE), ("continuous_1h", HOUR), ("continuous_1d", DAY))

REMOVE_MARKS = """
DELETE FROM rollup_dirty USING unnest(%s::int[], %s::timestamptz[]) AS mark (sensor, hour)
WHERE rollup_dirty.sensor = mark.sensor AND rollup_dirty.hour = mark.hour AND taken
"""

COMPRESSION_LOCK_TIMEOUT = "10s"  # readers of the day wait behind us while we wait for those before them
RAW_DAYS = """
SELECT (range_start AT TIME ZONE 'UTC')::date AS day, total_bytes, is_compressed
FROM timescaledb_information.chunks JOIN chunks_detailed_size('reading') USING (chunk_schema, chunk_name)
WHERE hypertable_name = 'reading' AND range_end <= %s ORDER BY day
"""
CHUNKS = """
SELECT format('%%I.%%I', chunk_schema, chunk_name), (range_start AT TIME ZONE 'UTC')::date AS day, is_compressed
FROM timescaledb_information.chunks WHERE hypertable_name = 'reading' AND range_end <= %s ORDER BY day
"""


def ensure_days(connection: Connection, days: Iterable[date]) -> None:
    """Nothing to do: a hypertable makes its chunks when rows arrive."""


def store_buckets(connection: Connection, start: datetime, end: datetime) -> None:
    """Stores the minutes of [start, end), the hours and days that are complete with them, and that they are stored.

    No policy of the server does this: it would move what counts as stored past what leaves marks.

    Args:
        start: up to where buckets are stored already; like `end` the start of a minute, in UTC.
    """
    refresh_aggregates(connection, start, end)
    connection.execute("UPDATE rollup_state SET shown_to = %s", [end])


def recompute(connection: Connection, marks: Sequence[Mark], shown_to: datetime) -> None:
    """Computes the stored buckets of these hours and their days anew, and removes the marks."""
    for name, unit in LEVELS:
        for start, end in runs(mark.hour for mark in marks):
            _refresh(connection, name, floor(start, unit), min(ceil(end, unit), floor(shown_to, unit)))
    connection.execute(REMOVE_MARKS, [[mark.sensor for mark in marks], [mark.hour for mark in marks]])


def refresh_aggregates(connection: Connection, start: datetime, end: datetime) -> None:
    """Computes the minutes of [start, end) whose readings have changed, the hours and days complete with them."""
    for name, unit in LEVELS:
        _refresh(connection, name, floor(start, unit), floor(end, unit))


def _refresh(connection: Connection, name: str, start: datetime, end: datetime) -> None:
    """Computes the buckets of [start, end) where their readings have changed since the last time."""
    if start < end:
        call = sql.SQL("CALL refresh_continuous_aggregate({}, {}::timestamptz, {}::timestamptz)")
        connection.execute(call.format(name, start, end))


def raw_days(connection: Connection, before: datetime) -> list[RawDay]:
    """The days of readings that end at or before this midnight UTC, oldest first."""
    return [RawDay(*row) for row in connection.execute(RAW_DAYS, [before])]


def drop_day(connection: Connection, day: RawDay) -> None:
    """Drops the day's readings, in the transaction at hand.

    Our job calls this, and no retention policy is set: a policy knows the time but not the marks of late readings,
    and continuous aggregates would forget what is refreshed after its readings are gone.
    """
    connection.execute(
        "SELECT drop_chunks('reading', older_than => %s::timestamptz, newer_than => %s::timestamptz)",
        [day.end, start_of(day.day)],
    )


def compress_before(connection: Connection, before: datetime) -> list[date]:
    """Compresses the days that end at or before this midnight UTC; those that are now and were not before.

    A day into which late readings came since is compressed anew, though not counted. No columnstore policy is set,
    so that a database has one timetable, which the admin shows, and not two.

    Raises:
        psycopg.errors.LockNotAvailable: others used a day for too long; those before it are compressed.
    """
    chunks = connection.execute(CHUNKS, [before]).fetchall()
    for chunk, _, _ in chunks:
        # Writers of late readings into the day wait meanwhile, readers for a moment in the end.
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{COMPRESSION_LOCK_TIMEOUT}'")
            connection.execute("SELECT compress_chunk(%s::regclass, if_not_compressed => true)", [chunk])
    return [day for _, day, is_compressed in chunks if not is_compressed]
