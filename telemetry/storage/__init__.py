"""How readings lie in the database: one module per flavour of PostgreSQL, one interface.

`timescale` for servers with TimescaleDB, `plain` for those without. Each has
`ensure_days(connection, days)`: make room for readings of these UTC days.
"""

from types import ModuleType
from typing import Any

from django.db import connection as django_connection
from psycopg import Connection

from telemetry.storage import plain, timescale

IS_HYPERTABLE = """
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_class WHERE oid = 'reading'::regclass AND relkind = 'p'
)
"""


def flavour(connection: Connection) -> ModuleType:
    """The module for the way in which this database's `reading` table was made at migrate time."""
    row = connection.execute(IS_HYPERTABLE).fetchone()
    assert row is not None
    return plain if row[0] else timescale


def connection_params() -> dict[str, Any]:
    """psycopg's arguments for the database of the settings: COPY and LISTEN need no ORM around them."""
    params = django_connection.get_connection_params()
    for belongs_to_django in ("cursor_factory", "context"):
        params.pop(belongs_to_django, None)
    return params
