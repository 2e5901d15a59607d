"""What the readings lie in, in words."""

from django.db import connection

# How `reading` was made when migrating, not what the server could do: a plain database stays one until converted.
DATABASE = """
SELECT split_part(current_setting('server_version'), ' ', 1),
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
    (SELECT relkind = 'p' FROM pg_class WHERE oid = 'reading'::regclass)
"""


def database() -> str:
    """`PostgreSQL 18.6, plain`, or `PostgreSQL 17.5, TimescaleDB 2.23.0`."""
    with connection.cursor() as cursor:
        cursor.execute(DATABASE)
        server, timescaledb, is_partitioned = cursor.fetchone()
    return f"PostgreSQL {server}, {'plain' if is_partitioned else f'TimescaleDB {timescaledb}'}"
