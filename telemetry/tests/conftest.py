"""Sensors enough for a load, and readings for tests of what is stored: written as rows, not sent through ingest."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest
from django.db import connection

from plants.models import Machine, Plant, Sensor, Zone
from telemetry.models import Latest, Reading
from telemetry.storage import flavour

Store = Callable[..., None]


@pytest.fixture
def line(kandy: Plant) -> list[Sensor]:
    """50 sensors: 5 machines with 10 each."""
    zone = Zone.objects.create(plant=kandy, slug="line", name="Line")
    machines = [Machine.objects.create(zone=zone, slug=f"m{m}", name=f"Machine {m}") for m in range(5)]
    return [
        Sensor.objects.create(machine=machine, slug=f"s{s}", name=f"Sensor {s}", position=s)
        for machine in machines
        for s in range(10)
    ]


@pytest.fixture
def store(db: None) -> Store:
    """`store(sensor, [(time, value), …], quality=192)`: makes readings and the sensor's latest."""

    def write(sensor: Sensor, readings: Iterable[tuple[datetime, float]], quality: int = 192) -> None:
        sensor.refresh_from_db(fields=["number"])
        rows = sorted(readings)
        connection.ensure_connection()
        days = [time.astimezone(UTC).date() for time, _ in rows]
        flavour(connection.connection).ensure_days(connection.connection, days)
        Reading.objects.bulk_create(
            Reading(sensor_id=sensor.number, time=time, value=value, quality=quality) for time, value in rows
        )
        time, value = rows[-1]
        Latest.objects.update_or_create(
            sensor=sensor,
            defaults={"time": time, "value": value, "quality": quality, "received_at": time},
        )

    return write
