"""Devices say themselves whether they are connected, and their last wills say when they are not any more."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from django.utils.timezone import now
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.servers import mosquitto
from inqube import embedded
from plants.models import Plant
from plants.models.devices import Device, Heard, hashed
from plants.scales import instant
from telemetry.ingest import status
from telemetry.ingest.status import Statuses, online
from telemetry.readings import Message
from telemetry.tests.waiting import wait_until

Manage = Callable[..., subprocess.Popen[bytes]]

TOPIC = "inqube/v1/kandy/$status/gateway"
AT_US = 1_795_000_000_000_000
AT = instant(AT_US)


def said(payload: bytes, topic: str = TOPIC, *, is_retained: bool = False, at_us: int = AT_US) -> Message:
    return Message(topic, payload, at_us, None, is_retained=is_retained)


@pytest.mark.parametrize(
    ("payload", "means"),
    [
        (b'{"online": true}', True),
        (b'{"online": false, "reason": "maintenance"}', False),
        (b'{"online": 1}', None),
        (b'{"on": true}', None),
        (b"true", None),
        (b"\xff", None),
        (b"", None),
        (b'{"online": true, "x": "%s"}' % (b"x" * 1024), None),
    ],
)
def test_it_reads_what_a_device_says(payload: bytes, means: bool | None) -> None:
    assert online(payload) is means


def test_it_keeps_the_newest_word_of_each_device() -> None:
    statuses = Statuses()
    for message in (
        said(b'{"online": true}'),
        said(b'{"online": false}', at_us=AT_US + 1_000_000),
        said(b'{"online": true}', "inqube/v1/kandy/$status/plc"),
    ):
        statuses.hear(message)
    assert statuses.take() == [
        Heard("kandy", "gateway", False, AT + timedelta(seconds=1)),
        Heard("kandy", "plc", True, AT),
    ]
    assert statuses.take() == []


def test_it_does_not_take_what_the_broker_has_retained_for_a_sign_of_life() -> None:
    statuses = Statuses()
    statuses.hear(said(b'{"online": true}', is_retained=True))
    assert statuses.take() == [Heard("kandy", "gateway", True, None)]


def test_it_counts_what_is_no_status() -> None:
    statuses = Statuses()
    for message in (said(b"?"), said(b'{"online": true}', "inqube/v1/Kandy/$status/gateway"), said(b"")):
        statuses.hear(message)
    assert (statuses.refused, statuses.take()) == (2, [])


def test_it_holds_so_many_devices_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "DEVICES_WAITING", 1)
    statuses = Statuses()
    for name in ("a", "b", "a"):
        statuses.hear(said(b'{"online": true}', f"inqube/v1/kandy/$status/{name}"))
    assert (statuses.refused, [each.device for each in statuses.take()]) == (1, ["a"])


def test_it_lets_a_newer_word_stand_when_an_older_is_given_back() -> None:
    statuses = Statuses()
    statuses.hear(said(b'{"online": true}'))
    taken = statuses.take()
    statuses.hear(said(b'{"online": false}'))
    statuses.give_back(taken)
    assert [each.is_online for each in statuses.take()] == [False]


@pytest.fixture
def gateway(kandy: Plant) -> Device:
    return Device.objects.create(plant=kandy, name="gateway", secret_hash=hashed("secret"))


def test_it_never_moves_last_seen_back(gateway: Device) -> None:
    for heard, changed in (
        (Heard("kandy", "gateway", True, AT), 1),
        (Heard("kandy", "gateway", True, AT), 0),
        (Heard("kandy", "gateway", True, None), 0),
        (Heard("kandy", "gateway", False, AT - timedelta(hours=1)), 1),
        (Heard("rotterdam", "gateway", True, AT), 0),
    ):
        assert Device.objects.all().note([heard]) == changed
    gateway.refresh_from_db()
    assert (gateway.is_online, gateway.last_seen) == (False, AT)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """The port of a Mosquitto of the test's own."""
    port = embedded.free_port()
    with embedded.running(mosquitto(tmp_path, port), tmp_path / "mosquitto.log"):
        yield port


@contextmanager
def connected(port: int) -> Iterator[paho.Client]:
    """A device that says so, and whose connection breaks in the end: the broker publishes its last will."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.will_set(TOPIC, '{"online": false}', qos=1, retain=True)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        client.publish(TOPIC, '{"online": true}', qos=1, retain=True).wait_for_publish(30)
        yield client
    finally:
        connection = client.socket()
        assert connection is not None
        connection.close()
        client.loop_stop()


@pytest.mark.mosquitto
@pytest.mark.timeout(120)
def test_it_follows_a_device_that_comes_and_breaks_off(
    manage: Manage, broker: int, gateway: Device, kandy: Plant
) -> None:
    def is_online() -> bool | None:
        gateway.refresh_from_db()
        return gateway.is_online

    with connected(broker):
        manage("ingest", MQTT_URL=f"mqtt://127.0.0.1:{broker}", MQTT_CLIENT_ID="inqube-test")
        wait_until(lambda: is_online() is True)
        assert gateway.last_seen is None  # the broker had it from before
        broke_off = now()
    wait_until(lambda: is_online() is False)
    assert gateway.last_seen is not None
    assert gateway.last_seen > broke_off
