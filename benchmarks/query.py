"""How fast questions about the past are answered, next to the best hand-written SQL for the same answer.

    python -m benchmarks.query [--sensors 100] [--days 30] [--interval 1] [--rounds 20] [--json FILE]

Asked over HTTP of a daphne of its own with a JWT, and in psycopg of the same database, in turn; medians are given,
after a first round that warms up and holds that both give the same. The default makes 259 million readings, about
22 GB, and takes most of an hour; `--sensors 10` makes a tenth. Aim: the API takes at most 1.5 times the SQL plus 15 ms.
"""

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql

from benchmarks import history_data
from benchmarks.servers import servers
from inqube import embedded

EMAIL, PASSWORD = "bench@example.org", "correct horse battery"
LATEST_SENSORS = 1000
EXPORTED_SENSORS = 5
START_WITHIN_S = 30

LATEST = """
SELECT sensor.id, sensor.number, concat_ws('/', plant.slug, zone.slug, machine.slug, sensor.slug), time, value, unit,
    quality
FROM plants_sensor AS sensor
JOIN plants_machine AS machine ON machine.id = sensor.machine_id
JOIN plants_zone AS zone ON zone.id = machine.zone_id
JOIN plants_plant AS plant ON plant.id = zone.plant_id
JOIN latest ON latest.sensor = sensor.number
ORDER BY plant.slug, zone.slug, machine.slug, sensor.slug
"""
RAW = "SELECT time, value, quality FROM reading WHERE sensor = %s AND time >= %s AND time < %s ORDER BY time"
BUCKETS = """
SELECT date_bin({width}, bucket, '2000-01-03Z') AS start, sum(sum) / sum(n_good), min(min), max(max)
FROM {relation} WHERE sensor = %s AND bucket >= %s AND bucket < %s GROUP BY start ORDER BY start
"""
EXPORT = """
COPY (
    SELECT address, to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), value, unit, quality
    FROM (SELECT number, unit, concat_ws('/', plant.slug, zone.slug, machine.slug, sensor.slug) AS address
          FROM plants_sensor AS sensor
          JOIN plants_machine AS machine ON machine.id = sensor.machine_id
          JOIN plants_zone AS zone ON zone.id = machine.zone_id
          JOIN plants_plant AS plant ON plant.id = zone.plant_id
          WHERE number = ANY({sensors})) AS asked
    JOIN reading ON reading.sensor = asked.number
    WHERE time >= {start} AND time < {end} ORDER BY sensor, time
) TO STDOUT (FORMAT csv)
"""


@dataclass(frozen=True, slots=True)
class Result:
    question: str
    rows: int
    api_ms: float
    sql_ms: float

    @property
    def is_within_aim(self) -> bool:
        return self.api_ms <= 1.5 * self.sql_ms + 15


Ask = Callable[[], int]  # asks once; gives the number of rows of the answer


def main() -> None:
    options = arguments()
    shape = history_data.Shape(options.sensors, options.days, options.interval, history_data.midnight())
    with servers("embedded") as environment:
        os.environ.update(environment, THROTTLE="false")
        import django

        django.setup()
        logging.getLogger("httpx").setLevel(logging.WARNING)
        from telemetry.ingest.store import connect

        started = time.monotonic()
        numbers = history_data.make(shape)
        print(f"{shape.readings:,} readings made with their rollups in {time.monotonic() - started:.0f} s")
        add_latest(LATEST_SENSORS - options.sensors, shape.end)
        with connect() as database, api() as client:
            print_sizes(database, shape)
            results = [
                measure(question, ask_api, ask_sql, options.rounds)
                for question, ask_api, ask_sql in questions(client, database, numbers, shape)
            ]
    print(f"{'':<28}{'rows':>9}{'API':>12}{'SQL':>12}{'ratio':>8}  aim")
    for each in results:
        ratio, verdict = each.api_ms / each.sql_ms, "met" if each.is_within_aim else "missed"
        print(f"{each.question:<28}{each.rows:>9,}{each.api_ms:>9.1f} ms{each.sql_ms:>9.1f} ms{ratio:>8.2f}  {verdict}")
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in results], indent=2))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sensors", type=int, default=100, help="with a history (100)")
    parser.add_argument("--days", type=int, default=30, help="of history (30)")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between readings (1)")
    parser.add_argument("--rounds", type=int, default=20, help="of each question (20)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


def add_latest(count: int, end: datetime) -> None:
    """Sensors with a newest reading and no history, up to the number that `latest` is asked for."""
    from plants.models import Machine, Sensor
    from telemetry.models import Latest

    machine = Machine.objects.all()[0]
    sensors = Sensor.objects.bulk_create(
        Sensor(machine=machine, slug=f"latest{number}", name=f"Latest {number}") for number in range(max(0, count))
    )
    Latest.objects.bulk_create(
        Latest(sensor=sensor, time=end, value=20.0, quality=192, received_at=end) for sensor in sensors
    )


@contextmanager
def api() -> Iterator[httpx.Client]:
    """A client of a daphne that runs meanwhile, signed in as an admin."""
    from accounts.models import User

    User.objects.create_superuser(EMAIL, PASSWORD)
    port = embedded.free_port()
    base = f"http://127.0.0.1:{port}/api/v1"
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "inqube.asgi:application"]
    environment = {**os.environ, "ALLOWED_HOSTS": "127.0.0.1"}
    daphne = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        give_up_at = time.monotonic() + START_WITHIN_S
        while not embedded.accepts_connections(port):
            if time.monotonic() > give_up_at:
                raise SystemExit("daphne did not start")
            time.sleep(0.1)
        login = httpx.post(f"{base}/login/access-token", data={"username": EMAIL, "password": PASSWORD}, timeout=30)
        headers = {"Authorization": f"Bearer {login.raise_for_status().json()['access_token']}"}
        with httpx.Client(base_url=base, headers=headers, timeout=600) as client:
            yield client
    finally:
        daphne.terminate()
        daphne.wait()


def print_sizes(database: psycopg.Connection, shape: history_data.Shape) -> None:
    """Bytes on disk, indexes included."""
    for relation, what in (("reading", "reading"), ("rollup_1m", "minute of a sensor")):
        row = database.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = %s::regclass", [relation]
        ).fetchone()
        count = shape.readings if relation == "reading" else shape.sensors * shape.days * 1440
        assert row is not None
        print(f"{row[0] / count:.0f} bytes on disk per {what}, uncompressed")


def questions(
    client: httpx.Client, database: psycopg.Connection, numbers: Sequence[int], shape: history_data.Shape
) -> Iterator[tuple[str, Ask, Ask]]:
    ranges = {
        f"chart of {shape.days} days": timedelta(days=shape.days),
        "chart of 1 day": timedelta(days=1),
        "chart of 5 minutes": timedelta(minutes=5),
    }
    for name, length in ranges.items():
        yield name, *chart(client, database, numbers[len(numbers) // 2], shape.end - length, shape.end)
    yield f"latest of {LATEST_SENSORS} sensors", *latest(client, database)
    exported = list(numbers[:EXPORTED_SENSORS])
    yield f"export of {len(exported)} sensors, 1 day", *export(client, database, exported, shape.end)


def chart(
    client: httpx.Client, database: psycopg.Connection, number: int, start: datetime, end: datetime
) -> tuple[Ask, Ask]:
    from plants.models import Sensor

    sensor_id = str(Sensor.objects.get(number=number).pk)
    parameters = {"sensor_id": sensor_id, "start": start.isoformat(), "end": end.isoformat(), "bucket": "auto"}
    (series,) = get(client, "/telemetry/history", parameters)
    statement = chart_sql(series["bucket"])
    rows = database.execute(statement, [number, start, end]).fetchall()
    same([point[1] for point in series["points"]], [row[1] for row in rows])

    def ask_api() -> int:
        (series,) = get(client, "/telemetry/history", parameters)
        return len(series["points"])

    return ask_api, lambda: len(database.execute(statement, [number, start, end]).fetchall())


def chart_sql(bucket: str) -> sql.SQL | sql.Composed:
    """The same chart from the coarsest relation that has its buckets."""
    if bucket == "raw":
        return sql.SQL(RAW)
    return sql.SQL(BUCKETS).format(
        width=sql.Literal(bucket.replace("m", " minutes")), relation=sql.Identifier(f"reading_1{bucket[-1]}")
    )


def latest(client: httpx.Client, database: psycopg.Connection) -> tuple[Ask, Ask]:
    same(
        [each["value"] for each in get(client, "/telemetry/latest", {})],
        [row[4] for row in database.execute(LATEST).fetchall()],
    )
    return lambda: len(get(client, "/telemetry/latest", {})), lambda: len(database.execute(LATEST).fetchall())


def export(client: httpx.Client, database: psycopg.Connection, numbers: list[int], end: datetime) -> tuple[Ask, Ask]:
    from plants.models import Sensor

    start = end - timedelta(days=1)
    ids = [str(pk) for pk in Sensor.objects.filter(number__in=numbers).values_list("pk", flat=True)]
    parameters = {"sensor_id": ids, "start": start.isoformat(), "end": end.isoformat(), "format": "csv"}
    statement = sql.SQL(EXPORT).format(sensors=numbers, start=start, end=end)

    def ask_api() -> int:
        headers = {"Accept-Encoding": "identity"}
        with client.stream("GET", "/telemetry/export", params=parameters, headers=headers) as answer:
            answer.raise_for_status()
            return sum(chunk.count(b"\n") for chunk in answer.iter_raw()) - 1

    def ask_sql() -> int:
        with database.cursor().copy(statement) as copy:
            return sum(bytes(chunk).count(b"\n") for chunk in copy)

    same([ask_api()], [ask_sql()])
    return ask_api, ask_sql


def get(client: httpx.Client, path: str, parameters: dict[str, Any]) -> Any:
    return client.get(path, params=parameters).raise_for_status().json()


def same(from_api: Sequence[float], from_sql: Sequence[float]) -> None:
    if len(from_api) != len(from_sql) or any(
        abs(one - other) > 1e-9 * max(1.0, abs(one)) for one, other in zip(from_api, from_sql, strict=True)
    ):
        raise SystemExit(f"API and SQL differ: {from_api[:3]} … {from_sql[:3]} …, {len(from_api)} and {len(from_sql)}")


def measure(question: str, ask_api: Ask, ask_sql: Ask, rounds: int) -> Result:
    """Medians of both, asked in turn."""
    times: dict[Ask, list[float]] = {ask_api: [], ask_sql: []}
    rows = 0
    for _ in range(rounds):
        for ask in (ask_api, ask_sql):
            started = time.perf_counter()
            rows = ask()
            times[ask].append(1000 * (time.perf_counter() - started))
    return Result(question, rows, statistics.median(times[ask_api]), statistics.median(times[ask_sql]))


if __name__ == "__main__":
    main()
