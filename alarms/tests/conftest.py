import time
from collections.abc import Callable

import pytest
from django.db import connection

from alarms.models import Rule
from plants.models import Plant, Sensor
from plants.scales import GOOD, SECOND_US
from telemetry.ingest.ledger import Kind
from telemetry.ingest.store import Store

START_US = time.time_ns() // 1000 - 3_600 * SECOND_US
Say = Callable[..., None]


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    return Sensor.objects.get(slug="temp")


@pytest.fixture
def say(temp: Sensor) -> Say:
    """Stores (second, value[, quality]) of the temperature, one batch a call, as a request to HTTP does."""
    connection.ensure_connection()
    store = Store(lambda: connection.connection, kind=Kind.HTTP)

    def batch(*readings: tuple[float, ...]) -> None:
        store.write(
            [
                (temp.number, START_US + round(each[0] * SECOND_US), each[1], int(each[2]) if each[2:] else GOOD)
                for each in readings
            ]
        )

    return batch


@pytest.fixture
def high(temp: Sensor) -> Rule:
    return Rule.objects.create(
        plant=temp.machine.zone.plant, sensor=temp, kind="high", setpoint=80, deadband=2, severity="high"
    )
