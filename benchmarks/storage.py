"""What a reading takes on disk: on plain PostgreSQL, and on TimescaleDB before and after compression.

    python -m benchmarks.storage [--sensors 10] [--timescale-url postgres://…]

A day of readings at 1 Hz, a sine with noise rounded to two decimals, which lie in the order of time. TimescaleDB is
the one at the address, an empty database, or one in WebAssembly under Node.js, as in the tests: its sizes are real.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from benchmarks.servers import servers

DAY = datetime(2026, 3, 1, tzinfo=UTC)
HOUR_AT_ONCE = """
INSERT INTO reading (time, value, quality, sensor)
SELECT time, round((20 + 10 * sin(extract(epoch FROM time) / 13751 + sensor) + random())::numeric, 2), 192, sensor
FROM generate_series(%(start)s::timestamptz, %(start)s::timestamptz + interval '3599 seconds', '1 second') AS time
CROSS JOIN generate_series(1, %(sensors)s) AS sensor ORDER BY time
"""


def main() -> None:
    options = arguments()
    with servers("embedded") as environment:
        os.environ.update(environment)
        import django

        django.setup()
        with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as plain:
            per_reading("plain PostgreSQL", fill(plain, options.sensors), options.sensors)
        with timescale(options.timescale_url) as connection:
            from telemetry.storage import timescale as storage

            before = fill(connection, options.sensors)
            storage.compress_before(connection, DAY + timedelta(days=1))
            per_reading("TimescaleDB", before, options.sensors)
            per_reading("TimescaleDB, compressed", day_bytes(connection), options.sensors)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sensors", type=int, default=10, help="of 86,400 readings each (10)")
    parser.add_argument("--timescale-url", help="an empty database with TimescaleDB, instead of one in WebAssembly")
    return parser.parse_args()


@contextmanager
def timescale(url: str | None) -> Iterator[psycopg.Connection]:
    """A migrated database with TimescaleDB."""
    from telemetry.tests.timescale.conftest import connect, install, serving

    if url is None:
        with tempfile.TemporaryDirectory() as directory:
            install(Path(directory))
            with serving(Path(directory)) as served, timescale(served) as connection:
                yield connection
        return
    environment = {**os.environ, "DATABASE_URL": url}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], env=environment, check=True)
    with connect(url) as connection:
        yield connection


def fill(connection: psycopg.Connection, sensors: int) -> int:
    """Makes the day; its bytes on disk."""
    from telemetry.storage import flavour

    flavour(connection).ensure_days(connection, [DAY.date()])
    for hour in range(24):
        connection.execute(HOUR_AT_ONCE, {"start": DAY + timedelta(hours=hour), "sensors": sensors})
    return day_bytes(connection)


def day_bytes(connection: psycopg.Connection) -> int:
    """Of readings, indexes included."""
    from telemetry.storage import flavour

    (day,) = flavour(connection).raw_days(connection, DAY + timedelta(days=1))
    return int(day.bytes)


def per_reading(where: str, size: int, sensors: int) -> None:
    print(f"{where:<26}{size / (sensors * 86_400):>8.1f} bytes per reading")


if __name__ == "__main__":
    main()
