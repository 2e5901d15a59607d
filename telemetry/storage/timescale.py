"""TimescaleDB: the server makes chunks itself."""

from collections.abc import Iterable
from datetime import date

from psycopg import Connection


def ensure_days(connection: Connection, days: Iterable[date]) -> None:
    """Nothing to do: a hypertable makes its chunks when rows arrive."""
