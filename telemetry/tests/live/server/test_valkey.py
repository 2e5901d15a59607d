"""Valkey is killed and comes back while sockets are open: what they show is what is stored."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from accounts.models import User
from conftest import Manage
from inqube import embedded
from plants.broker_address import Broker
from plants.models import Plant
from telemetry.models import Latest
from telemetry.tests.faults.scene import Restartable
from telemetry.tests.live.server.client import Client
from telemetry.tests.live.server.conftest import Connect, StartWeb
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

SERVER_FAILED, UNAUTHENTICATED = 1011, 4401


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Restartable]:
    valkey = Restartable(embedded.valkey(tmp_path, embedded.free_port()), tmp_path / "valkey.log")
    valkey.start()
    yield valkey
    valkey.stop()


@pytest.fixture
def device(broker_url: str) -> Iterator[paho.Client]:
    broker = Broker.from_url(broker_url)
    device = paho.Client(CallbackAPIVersion.VERSION2, client_id="valkey-device", protocol=paho.MQTTv5)
    device.connect(broker.host, broker.port)
    device.loop_start()
    yield device
    device.disconnect()
    device.loop_stop()


def send(device: paho.Client, **values: float) -> None:
    """From roller-2 of kandy; returns when all is stored."""
    topic = "inqube/v1/kandy/rolling/roller-2/t"
    device.publish(topic, json.dumps({"values": values}), qos=1).wait_for_publish(30)
    sensors = {slug: Latest.objects.filter(sensor__slug=slug) for slug in values}
    wait_until(lambda: all(found.filter(value=values[slug]).exists() for slug, found in sensors.items()))


def stored() -> dict[int, float]:
    return dict(Latest.objects.values_list("sensor__number", "value"))


def test_it_shows_what_is_stored_when_valkey_was_gone(
    manage: Manage,
    broker_url: str,
    start_web: StartWeb,
    connect: Connect,
    valkey: Restartable,
    device: paho.Client,
    kandy: Plant,
    vera: User,
) -> None:
    ingest = manage("ingest", MQTT_URL=broker_url, MQTT_CLIENT_ID="valkey-test", REDIS_URL=valkey.server.url)
    web = start_web(REDIS_URL=valkey.server.url)
    wait_until(lambda: "broker connected" in ingest.log.read_text())  # type: ignore[attr-defined]
    clients = [connect(web) for _ in range(3)]
    for client in clients:
        client.subscribe()
        assert client.hear()["type"] == "snapshot"
    send(device, temp=1.0, rpm=1.0)
    all_show_what_is_stored(clients)

    valkey.kill()
    send(device, temp=2.0)  # of which nobody ever hears a frame
    valkey.start()
    send(device, rpm=3.0)
    all_show_what_is_stored(clients)
    send(device, temp=4.0)
    all_show_what_is_stored(clients)

    User.objects.filter(pk=vera.pk).update(is_active=False)
    assert [client.hear_close() for client in clients] == [UNAUTHENTICATED] * len(clients)


def test_it_lets_clients_in_without_valkey_but_does_not_pretend_to_serve_them(
    start_web: StartWeb, connect: Connect, kandy: Plant
) -> None:
    client = connect(start_web(REDIS_URL="redis://127.0.0.1:1/0"))
    client.subscribe()
    assert client.hear_close() == SERVER_FAILED


def all_show_what_is_stored(clients: list[Client]) -> None:
    for client in clients:
        client.hear_until(partial(shows_what_is_stored, client), within_s=30)


def shows_what_is_stored(client: Client) -> bool:
    return client.values == stored()
