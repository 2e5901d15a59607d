"""How readings lie in the database: one module per flavour of PostgreSQL, one interface.

`timescale` for servers with TimescaleDB, `plain` for those without. Each has

    ensure_days(connection, days)             makes room for readings of these UTC days
    store_buckets(connection, start, end)     stores the rollups of this time
    recompute(connection, marks, shown_to)    stores those of these hours anew
    raw_days(connection, before)              the days of raw readings there are
    drop_day(connection, day)                 drops one
    compress_before(connection, before)       compresses those that end before
"""

from types import ModuleType
from typing import Any

from django.db import connection as django_connection
from psycopg import Connection

from telemetry.storage import plain, timescale

IS_PARTITIONED = """
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_class WHERE oid = 'reading'::regclass AND relkind = 'p'
)
"""

APPLICATION_NAME = "inqube ingest"  # as pg_stat_activity shows it

# libpq's: seconds to connect, milliseconds that sent data may stay unacknowledged, seconds of silence before a probe.
DEAD_NETWORK = {"connect_timeout": 10, "tcp_user_timeout": 20_000, "keepalives_idle": 20, "keepalives_interval": 5}


def flavour(connection: Connection) -> ModuleType:
    """The module for the way in which this database's `reading` table was made at migrate time."""
    row = connection.execute(IS_PARTITIONED).fetchone()
    assert row is not None
    return plain if row[0] else timescale


def connection_params() -> dict[str, Any]:
    """psycopg's arguments for the database of the settings: COPY and LISTEN need no ORM around them.

    A network that swallows packets must end in an error, or whoever waits on it waits for ever.
    """
    params = DEAD_NETWORK | {"application_name": APPLICATION_NAME} | django_connection.get_connection_params()
    for belongs_to_django in ("cursor_factory", "context"):
        params.pop(belongs_to_django, None)
    return params
