"""TimescaleDB: the server makes chunks itself, and continuous aggregates hold the rollups."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from psycopg import Connection, sql

from telemetry.storage.buckets import DAY, HOUR, MINUTE, Mark, ceil, floor, runs

LEVELS = (("continuous_1m", MINUTE), ("continuous_1h", HOUR), ("continuous_1d", DAY))

REMOVE_MARKS = """
DELETE FROM rollup_dirty USING unnest(%s::int[], %s::timestamptz[]) AS mark (sensor, hour)
WHERE rollup_dirty.sensor = mark.sensor AND rollup_dirty.hour = mark.hour AND taken
"""


def ensure_days(connection: Connection, days: Iterable[date]) -> None:
    """Nothing to do: a hypertable makes its chunks when rows arrive."""


def store_buckets(connection: Connection, start: datetime, end: datetime) -> None:
    """Stores the minutes of [start, end), the hours and days that are complete with them, and that they are stored.

    No policy of the server does this: it would move what counts as stored past what leaves marks.

    Args:
        start: up to where buckets are stored already; like `end` the start of a minute, in UTC.
    """
    for name, unit in LEVELS:
        _refresh(connection, name, floor(start, unit), floor(end, unit))
    connection.execute("UPDATE rollup_state SET shown_to = %s", [end])


def recompute(connection: Connection, marks: Sequence[Mark], shown_to: datetime) -> None:
    """Computes the stored buckets of these hours and their days anew, and removes the marks."""
    for name, unit in LEVELS:
        for start, end in runs(mark.hour for mark in marks):
            _refresh(connection, name, floor(start, unit), min(ceil(end, unit), floor(shown_to, unit)))
    connection.execute(REMOVE_MARKS, [[mark.sensor for mark in marks], [mark.hour for mark in marks]])


def _refresh(connection: Connection, name: str, start: datetime, end: datetime) -> None:
    """Computes the buckets of [start, end) where their readings have changed since the last time."""
    if start < end:
        call = sql.SQL("CALL refresh_continuous_aggregate({}, {}::timestamptz, {}::timestamptz)")
        connection.execute(call.format(name, start, end))
