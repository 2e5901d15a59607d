"""Years of readings in minutes: a fast generator of what ingest would have stored.

Rows lie in the order of time, all sensors at each step, as they do when devices report in turn: a query of one
sensor finds its rows scattered, as in a plant. Each UTC day is copied into a table of its own without a key, which
is indexed once it is full and then attached.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from psycopg import sql

ROWS_AT_ONCE = 200_000
WRITERS = 2  # PostgreSQL's part runs in its own processes


@dataclass(frozen=True, slots=True)
class Shape:
    """What to generate: `sensors` × one reading every `interval_s` over whole UTC days that end with `end`."""

    sensors: int
    days: int
    interval_s: float
    end: datetime

    @property
    def start(self) -> datetime:
        return self.end - timedelta(days=self.days)

    @property
    def readings(self) -> int:
        return self.sensors * self.days * int(86_400 / self.interval_s)


def make(shape: Shape) -> list[int]:
    """Makes a plant with these sensors, their readings, `latest` and the rollups; gives the sensors' numbers."""
    from telemetry.ingest.store import connect
    from telemetry.storage import rollups

    numbers = make_sensors(shape.sensors)
    with connect() as connection:
        connection.execute("UPDATE rollup_state SET shown_to = %s, mark_from = %s", [shape.start, shape.start])
        with ThreadPoolExecutor(WRITERS) as writers:
            list(writers.map(lambda day: make_day(shape, numbers, day), range(shape.days)))
        connection.execute(
            "INSERT INTO latest (sensor, time, value, quality, received_at) SELECT sensor, time, value, quality, time "
            "FROM reading WHERE time = %s",
            [shape.end - timedelta(seconds=shape.interval_s)],
        )
        rollups.refresh(connection, shape.end + rollups.SETTLE)
        connection.execute("VACUUM (ANALYZE)")
    return numbers


def make_sensors(count: int) -> list[int]:
    """Sensors of one plant, 100 a machine."""
    from plants.models import Machine, Plant, Sensor, Zone

    zone = Zone.objects.create(plant=Plant.objects.create(slug="bench", name="Bench"), slug="line", name="Line")
    machines = Machine.objects.bulk_create(
        Machine(zone=zone, slug=f"m{number}", name=f"Machine {number}") for number in range((count + 99) // 100)
    )
    Sensor.objects.bulk_create(
        Sensor(machine=machines[number // 100], slug=f"s{number}", name=f"Sensor {number}", unit="°C")
        for number in range(count)
    )
    return list(Sensor.objects.order_by("number").values_list("number", flat=True))


def make_day(shape: Shape, numbers: list[int], day: int) -> None:
    """Fills one UTC day, the `day`-th of the range."""
    from telemetry.ingest.copy import COPY_READINGS
    from telemetry.ingest.store import connect
    from telemetry.storage import flavour, plain

    start = shape.start + timedelta(days=day)
    with connect() as connection, connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off; SET LOCAL maintenance_work_mem = '512MB'")
        table = plain.partition_name(start.date())
        is_plain = flavour(connection) is plain
        if is_plain:
            cursor.execute(sql.SQL("CREATE TABLE {} (LIKE reading INCLUDING DEFAULTS)").format(sql.Identifier(table)))
        target = f"COPY {table}" if is_plain else "COPY reading"
        with cursor.copy(COPY_READINGS.replace("COPY reading", target)) as copy:
            for block in blocks(shape, np.array(numbers, np.int32), start):
                copy.write(block)
        if is_plain:
            cursor.execute(
                sql.SQL(
                    "ALTER TABLE {table} ADD PRIMARY KEY (sensor, time); "
                    "ALTER TABLE reading ATTACH PARTITION {table} FOR VALUES FROM ({start}) TO ({end})"
                ).format(
                    table=sql.Identifier(table),
                    start=sql.Literal(start.isoformat()),
                    end=sql.Literal((start + timedelta(days=1)).isoformat()),
                )
            )


def blocks(shape: Shape, numbers: np.ndarray, start: datetime) -> Iterator[bytes]:
    """A day as the bytes of one COPY: a sine of a day's period per sensor, with noise, every value good."""
    from telemetry.ingest.copy import HEADER, TRAILER, copy_rows

    noise = np.random.default_rng(int(start.timestamp()))
    steps = int(86_400 / shape.interval_s)
    step_us = int(shape.interval_s * 1e6)
    start_us = int(start.timestamp()) * 1_000_000
    at_once = max(1, ROWS_AT_ONCE // len(numbers))
    yield HEADER
    for first in range(0, steps, at_once):
        times = start_us + step_us * np.arange(first, min(steps, first + at_once), dtype=np.int64)
        time_us = np.repeat(times, len(numbers))
        sensor = np.tile(numbers, len(times))
        phase = 2 * np.pi * (time_us % 86_400_000_000) / 86_400_000_000 + sensor
        value = np.round(20 + 10 * np.sin(phase) + noise.normal(0, 0.5, len(sensor)), 2)
        rows = copy_rows(time_us, value, np.full(len(sensor), 192, np.int16), sensor)
        yield rows[len(HEADER) : -len(TRAILER)]
    yield TRAILER


def midnight() -> datetime:
    """The start of today in UTC, as the end of what is generated."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
