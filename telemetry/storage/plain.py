"""Plain PostgreSQL: one partition of `reading` per UTC day, rollups in tables that a refresh fills."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from psycopg import Connection, sql

from telemetry.storage.buckets import DAY, HOUR, Mark, floor
from telemetry.storage.days import RawDay

# Serialises partition making between ingest processes and jobs. Any constant of our own will do.
PARTITIONS_LOCK = 0x1_9BE_0001

IS_ATTACHED = "SELECT FROM pg_inherits WHERE inhparent = %s::regclass AND inhrelid = to_regclass(%s)"

COLUMNS = "bucket, n, n_good, min, max, sum, first, last, first_at, last_at, resets, peaks, integral"
REPLACE_ALL = (
    "ON CONFLICT (sensor, bucket) DO UPDATE SET (n, n_good, min, max, sum, first, last, first_at, last_at, resets, "
    "peaks, integral) = (excluded.n, excluded.n_good, excluded.min, excluded.max, excluded.sum, excluded.first, "
    "excluded.last, excluded.first_at, excluded.last_at, excluded.resets, excluded.peaks, excluded.integral)"
)

# Sensor by sensor through `latest`: a time range over all sensors has no index. Who has a reading since `start` has
# a latest one since then.
STORE_MINUTES = f"""
INSERT INTO rollup_1m (sensor, {COLUMNS})
SELECT latest.sensor, minutes.* FROM latest
CROSS JOIN LATERAL inqube_buckets(sensor, '1 minute', %(start)s, %(end)s) AS minutes
WHERE latest.time >= %(start)s {REPLACE_ALL}
"""
STORE_HOURS = f"""
INSERT INTO rollup_1h (sensor, {COLUMNS})
SELECT latest.sensor, hours.* FROM latest
CROSS JOIN LATERAL inqube_hours(sensor, %(start)s, %(end)s) AS hours
WHERE latest.time >= %(start)s {REPLACE_ALL}
"""
STORE_DAYS = f"""
INSERT INTO rollup_1d (sensor, {COLUMNS})
SELECT latest.sensor, days.* FROM latest
CROSS JOIN LATERAL inqube_days(sensor, %(start)s, %(end)s) AS days
WHERE latest.time >= %(start)s {REPLACE_ALL}
"""

MARKS = "unnest(%(sensors)s::int[], %(hours)s::timestamptz[]) AS mark (sensor, hour)"
RECOMPUTE_MINUTES = f"""
INSERT INTO rollup_1m (sensor, {COLUMNS})
SELECT mark.sensor, minutes.* FROM {MARKS}
CROSS JOIN LATERAL inqube_buckets(
    mark.sensor, '1 minute', hour, least(hour + interval '1 hour', %(shown_to)s)
) AS minutes {REPLACE_ALL}
"""
RECOMPUTE_HOURS = f"""
INSERT INTO rollup_1h (sensor, {COLUMNS})
SELECT mark.sensor, hours.* FROM {MARKS}
CROSS JOIN LATERAL inqube_buckets(mark.sensor, '1 hour', hour, hour + interval '1 hour') AS hours
WHERE hour + interval '1 hour' <= %(shown_to)s {REPLACE_ALL}
"""
RECOMPUTE_DAYS = f"""
INSERT INTO rollup_1d (sensor, {COLUMNS})
SELECT mark.sensor, days.*
FROM (SELECT DISTINCT sensor, date_bin('1 day', hour, '2000-01-01Z') AS day FROM {MARKS}) AS mark
CROSS JOIN LATERAL inqube_days(mark.sensor, day, day + interval '24 hours') AS days
WHERE day + interval '24 hours' <= %(shown_to)s {REPLACE_ALL}
"""
REMOVE_MARKS = f"""
DELETE FROM rollup_dirty USING {MARKS}
WHERE rollup_dirty.sensor = mark.sensor AND rollup_dirty.hour = mark.hour AND taken
"""

RAW_DAYS = r"""
SELECT to_date(right(relname, 8), 'YYYYMMDD') AS day, pg_total_relation_size(pg_class.oid)
FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'reading'::regclass AND relname ~ '^reading_p\d{8}$' ORDER BY day
"""


def partition_name(day: date) -> str:
    return f"reading_p{day:%Y%m%d}"


def ensure_days(connection: Connection, days: Iterable[date]) -> None:
    """Makes the partitions of these UTC days where they are missing; safe to call from several processes."""
    for day in sorted(set(days)):
        _ensure_partition(connection, "reading", partition_name(day), day, day + timedelta(days=1))


def _ensure_partition(connection: Connection, table: str, name: str, start: date, end: date) -> None:
    """Makes the partition for [start, end), both at midnight UTC, where it is missing.

    It is made as a table of its own and then attached: unlike CREATE TABLE … PARTITION OF, ATTACH doesn't lock out
    those who read or write the other partitions.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITIONS_LOCK])
        if connection.execute(IS_ATTACHED, [table, name]).rowcount:
            return
        parent, partition = sql.Identifier(table), sql.Identifier(name)
        connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(partition, parent)
        )
        connection.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                parent, partition, sql.Literal(f"{start} 00:00:00+00"), sql.Literal(f"{end} 00:00:00+00")
            )
        )


def store_buckets(connection: Connection, start: datetime, end: datetime) -> None:
    """Stores the minutes of [start, end), the hours and days that are complete with them, and that they are stored.

    Args:
        start: up to where buckets are stored already; like `end` the start of a minute, in UTC.
    """
    _ensure_months(connection, [start])  # no step spans two months
    with connection.transaction():
        connection.execute(STORE_MINUTES, {"start": start, "end": end})
        for statement, unit in ((STORE_HOURS, HOUR), (STORE_DAYS, DAY)):
            first, last = floor(start, unit), floor(end, unit)
            if first < last:
                connection.execute(statement, {"start": first, "end": last})
        connection.execute("UPDATE rollup_state SET shown_to = %s", [end])


def recompute(connection: Connection, marks: Sequence[Mark], shown_to: datetime) -> None:
    """Computes the stored buckets of these hours and their days anew, and removes the marks."""
    _ensure_months(connection, [mark.hour for mark in marks])
    parameters = {
        "sensors": [mark.sensor for mark in marks],
        "hours": [mark.hour for mark in marks],
        "shown_to": shown_to,
    }
    with connection.transaction():
        for statement in (RECOMPUTE_MINUTES, RECOMPUTE_HOURS, RECOMPUTE_DAYS, REMOVE_MARKS):
            connection.execute(statement, parameters)


def _ensure_months(connection: Connection, times: Iterable[datetime]) -> None:
    for month in sorted({time.date().replace(day=1) for time in times}):
        end = (month + timedelta(days=32)).replace(day=1)
        _ensure_partition(connection, "rollup_1m", f"rollup_1m_p{month:%Y%m}", month, end)


def raw_days(connection: Connection, before: datetime) -> list[RawDay]:
    """The days of readings that end at or before this midnight UTC, oldest first."""
    days = [RawDay(day, size, False) for day, size in connection.execute(RAW_DAYS)]
    return [day for day in days if day.end <= before]


def drop_day(connection: Connection, day: RawDay) -> None:
    """Drops the day's readings, in the transaction at hand; it waits for all who read or write any of `reading`."""
    connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(partition_name(day.day))))


def compress_before(connection: Connection, before: datetime) -> list[date]:
    """Nothing to do: PostgreSQL doesn't compress rows."""
    return []
