"""The worker tells a real Mosquitto at once what changed about devices."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from conftest import Manage
from plants.models import Plant
from plants.models.devices import Device
from plants.tests.mosquitto import ManagedBroker, Visitor, managed_broker
from telemetry.maintenance import connect

pytestmark = pytest.mark.mosquitto

LIMIT_S = 30  # for a worker to start; less than the minute after which it would look by itself


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ManagedBroker]:
    with managed_broker(tmp_path) as broker:
        yield broker


@pytest.fixture
def database(transactional_db: None) -> Iterator[psycopg.Connection]:
    with connect() as connection:
        yield connection


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_it_tells_the_broker_at_once(
    broker: ManagedBroker, database: psycopg.Connection, manage: Manage, kandy: Plant
) -> None:
    def lets_in(username: str, secret: str) -> bool:
        visitor = Visitor(broker.ports[1883], username, secret)
        visitor.leave()
        return visitor.is_let_in

    device = Device(plant=kandy, name="gateway")
    secret = device.issue_secret()
    device.save()
    worker = manage("procrastinate", "worker", MQTT_ADMIN_URL=broker.admin_url, MQTT_URL=broker.ingest_url)
    until(lambda: lets_in("kandy/gateway", secret))
    link = Visitor(broker.ports[1883], "kandy/gateway", secret)
    new = device.rotate(timedelta(hours=1))
    until(lambda: lets_in("kandy/gateway.2", new))
    assert not link.gone.is_set()
    device.revoke()
    until(link.gone.is_set)
    assert not lets_in("kandy/gateway.2", new)
    link.leave()
    until(lambda: "job=devices" in worker.log.read_text())  # type: ignore[attr-defined]
    assert secret not in worker.log.read_text()  # type: ignore[attr-defined]
