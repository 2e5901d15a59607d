"""A reading's whole way, with real processes: device → broker → ingest → database → REST and WebSocket."""

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from websockets.sync.client import connect as connect_websocket

from accounts.models import User
from inqube import embedded
from plants.broker_address import Broker
from plants.models import Sensor
from telemetry.models import Latest, Reading
from telemetry.tests.samples import us
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PASSWORD = "correct horse battery"
Manage = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def client_id() -> str:
    """Of no earlier test: a broker that outlives this one keeps what it holds for a session."""
    return f"inqube-test-{uuid.uuid4().hex}"


@contextmanager
def device(broker_url: str, client_id: str) -> Iterator[paho.Client]:
    """A device that publishes with QoS 1, as devices do."""
    broker = Broker.from_url(broker_url)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(500)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish_all(client: paho.Client, messages: list[tuple[str, str]]) -> None:
    """Publishes and waits until the broker has acknowledged every message."""
    for info in [client.publish(topic, payload, qos=1) for topic, payload in messages]:
        info.wait_for_publish(30)


def wait_for_ingest(process: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: "broker connected" in process.log.read_text())  # type: ignore[attr-defined]


def topic(sensor: Sensor) -> str:
    plant, zone, machine, slug = sensor.address.split("/")
    return f"inqube/v1/{plant}/{zone}/{machine}/t/{slug}"


def test_it_carries_readings_from_devices_to_programs_and_browsers(
    manage: Manage, broker_url: str, client_id: str, vera: User, line: list[Sensor]
) -> None:
    ingest = manage("ingest", MQTT_URL=broker_url, MQTT_CLIENT_ID=client_id)
    port = embedded.free_port()
    web = daphne(manage, port)
    wait_for_ingest(ingest)
    base = f"http://127.0.0.1:{port}/api/v1"
    wait_until(lambda: embedded.accepts_connections(port))
    login = httpx.post(f"{base}/login/access-token", data={"username": vera.email, "password": PASSWORD}).json()

    start_ms = int(time.time() * 1000) - 60_000
    expected = {
        (sensor.number, start_ms + i * 100): round(index + i / 10, 1)
        for index, sensor in enumerate(line)
        for i in range(20)
    }
    assert len(expected) == 1000
    of = {sensor.number: sensor for sensor in line}
    one_by_one = [  # the first three machines: a message a reading
        (topic(of[number]), json.dumps({"v": value, "ts": ts}))
        for (number, ts), value in expected.items()
        if of[number].machine.slug in ("m0", "m1", "m2")
    ]
    together = [  # the others: a message a machine and time
        (
            f"inqube/v1/kandy/line/{machine}/t",
            json.dumps(
                {
                    "ts": start_ms + i * 100,
                    "values": {
                        sensor.slug: expected[sensor.number, start_ms + i * 100]
                        for sensor in line
                        if sensor.machine.slug == machine
                    },
                }
            ),
        )
        for machine in ("m3", "m4")
        for i in range(20)
    ]
    first = line[0]
    rejects = [
        (topic(first), "23,4"),
        (topic(first), json.dumps({"v": 1, "ts": "noon"})),
        (topic(first), json.dumps({"v": 1, "ts": start_ms + 3_600_000})),
        ("inqube/v1/kandy/line/m0/t/unknown", "1"),
        ("inqube/v1/atlantis/line/m0/t/s0", "1"),
    ]
    conflict = [(topic(first), json.dumps({"v": -1, "ts": start_ms}))]

    with connect_websocket(
        f"ws://127.0.0.1:{port}/api/v1/ws/telemetry",
        subprotocols=["inqube.v1", f"inqube.bearer.{login['access_token']}"],  # type: ignore[list-item]
    ) as socket:
        assert json.loads(socket.recv(10))["type"] == "ready"
        socket.send(json.dumps({"type": "subscribe", "plant": "kandy", "max_hz": 10}))
        assert json.loads(socket.recv(10))["readings"] == []
        with device(broker_url, "end-to-end-device") as client:
            publish_all(client, one_by_one + one_by_one[:200] + together[:10] + together + conflict + rejects)
        live = follow(socket, {sensor.number: start_ms + 1900 for sensor in line})
    # A broker keeps the order within a subscription only: the rejects may come after the last reading. Once they are
    # logged, the duplicates and the conflict before them have been dealt with too.
    reasons = {"invalid_json", "bad_timestamp", "timestamp_out_of_range", "unknown_sensor", "unknown_plant"}
    wait_until(lambda: all(reason in ingest.log.read_text() for reason in reasons))  # type: ignore[attr-defined]

    rows = {(number, us(t) // 1000): value for number, t, value in stored()}
    assert rows == expected
    assert Reading.objects.count() == 1000
    newest = {number: (ts, expected[number, ts]) for number, ts in expected if ts == start_ms + 1900}
    assert {n: (us(t) // 1000, v) for n, t, v in Latest.objects.values_list("sensor_id", "time", "value")} == newest
    assert live == newest

    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {login['access_token']}"}) as rest:
        found = rest.get("/telemetry/latest", params={"machine": "kandy/line/m3"}).json()
        assert {row["sensor_number"]: row["value"] for row in found} == {
            sensor.number: newest[sensor.number][1] for sensor in line if sensor.machine.slug == "m3"
        }
        (series,) = rest.get("/telemetry/history", params={"sensor_id": first.address}).json()
        assert series["points"] == [[ts, value, 192] for (n, ts), value in expected.items() if n == first.number]

    ingest.terminate()
    assert ingest.wait(20) == 0
    web.terminate()


def daphne(manage: Manage, port: int) -> subprocess.Popen[bytes]:
    return manage("runserver", f"127.0.0.1:{port}", "--noreload")


def follow(socket: Any, until_ms: dict[int, int]) -> dict[int, tuple[int, float]]:
    """Acknowledges deltas until each sensor has been seen at its last time; gives the last (ts, value) of each."""
    seen: dict[int, tuple[int, float]] = {}
    while {number: ts for number, (ts, _) in seen.items()} != until_ms:
        frame = json.loads(socket.recv(20))
        assert frame["type"] in ("delta", "snapshot")
        for number, ts, value, _ in frame["readings"]:
            seen[number] = (ts, value)
        socket.send(json.dumps({"type": "ack", "plant": "kandy", "seq": frame["seq"]}))
    return seen


def stored() -> list[tuple[int, Any, float]]:
    return list(Reading.objects.values_list("sensor__number", "time", "value"))


def test_it_stores_every_reading_once_when_ingest_is_killed(
    manage: Manage, broker_url: str, client_id: str, line: list[Sensor]
) -> None:
    """SIGKILL in the middle of 20,000 readings: what the dead one did not acknowledge, the next one gets."""
    ingest = manage("ingest", MQTT_URL=broker_url, MQTT_CLIENT_ID=client_id)
    wait_for_ingest(ingest)
    start_ms = int(time.time() * 1000) - 3_600_000
    expected = {(sensor.number, start_ms + i): float(i) for i in range(400) for sensor in line}
    topics = {sensor.number: topic(sensor) for sensor in line}
    messages = [(topics[number], json.dumps({"v": value, "ts": ts})) for (number, ts), value in expected.items()]
    assert len(messages) == 20_000

    with device(broker_url, "killed-device") as client:
        waiting = [client.publish(each, payload, qos=1) for each, payload in messages]
        wait_until(lambda: Reading.objects.count() > 2000)
        ingest.kill()
        ingest.wait()
        before = Reading.objects.count()
        assert before < len(messages)
        for info in waiting:
            info.wait_for_publish(60)
    second = manage("ingest", MQTT_URL=broker_url, MQTT_CLIENT_ID=client_id)
    wait_until(lambda: Reading.objects.count() == len(messages), within_s=60)

    assert {(number, us(t) // 1000): value for number, t, value in stored()} == expected
    second.terminate()
    assert second.wait(20) == 0
    assert "session_present=True" in second.log.read_text()  # type: ignore[attr-defined]
