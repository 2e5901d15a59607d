"""Plain PostgreSQL: one partition of `reading` per UTC day."""

from collections.abc import Iterable
from datetime import date, timedelta

from psycopg import Connection, sql

# Serialises partition making between ingest processes and jobs. Any constant of our own will do.
PARTITIONS_LOCK = 0x1_9BE_0001

IS_ATTACHED = "SELECT FROM pg_inherits WHERE inhparent = 'reading'::regclass AND inhrelid = to_regclass(%s)"


def partition_name(day: date) -> str:
    return f"reading_p{day:%Y%m%d}"


def ensure_days(connection: Connection, days: Iterable[date]) -> None:
    """Makes the partitions of these UTC days where they are missing; safe to call from several processes.

    A partition is made as a table of its own and then attached: unlike CREATE TABLE … PARTITION OF, ATTACH
    doesn't lock out those who read or write the other partitions.
    """
    for day in sorted(set(days)):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITIONS_LOCK])
            if connection.execute(IS_ATTACHED, [partition_name(day)]).rowcount:
                continue
            partition = sql.Identifier(partition_name(day))
            connection.execute(
                sql.SQL("CREATE TABLE {} (LIKE reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(partition)
            )
            connection.execute(
                sql.SQL("ALTER TABLE reading ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                    partition,
                    sql.Literal(f"{day} 00:00:00+00"),
                    sql.Literal(f"{day + timedelta(days=1)} 00:00:00+00"),
                )
            )
