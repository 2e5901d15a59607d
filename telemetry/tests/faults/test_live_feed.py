"""Valkey, which carries the live feed, goes away: readings are stored as before, and the feed comes back."""

import contextlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect as connect_websocket

from accounts.models import User
from inqube import embedded
from telemetry.tests.faults.plan import Clock, mixed, one
from telemetry.tests.faults.scene import Manage, Restartable, Scene, end
from telemetry.tests.samples import ms
from telemetry.tests.waiting import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.mosquitto,
    pytest.mark.faults,
    pytest.mark.timeout(180),
]

PASSWORD = "correct horse battery"
SEED = 20_261_124


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Restartable]:
    valkey = Restartable(embedded.valkey(tmp_path, embedded.free_port()), tmp_path / "valkey.log")
    valkey.start()
    yield valkey
    valkey.stop()


def assert_live(scene: Scene, port: int, token: str, value: float) -> None:
    """A page of the plant shows this value of a sensor soon."""
    sensor, now = scene.sensors[1], datetime.now(UTC)
    publishing = scene.publish([one(sensor, ms(now) + 200 * i, value) for i in range(500)], publishers=1, rate=5)
    wait_until(lambda: shows(port, token, sensor.number, value), within_s=60)
    publishing.end()


def shows(port: int, token: str, sensor: int, value: float) -> bool:
    """Whether this value is among the next readings that come; False where the connection fails."""
    url, protocols = f"ws://127.0.0.1:{port}/api/v1/ws/telemetry", ["inqube.v1", f"inqube.bearer.{token}"]
    with (
        contextlib.suppress(OSError, WebSocketException),
        connect_websocket(url, subprotocols=protocols) as socket,  # type: ignore[arg-type]
    ):
        socket.send(json.dumps({"type": "subscribe", "plant": "kandy", "max_hz": 10}))
        for text in socket:
            frame = json.loads(text)
            if frame["type"] == "delta" and frame["readings"]:
                return any(row[0] == sensor and row[2] == value for row in frame["readings"])
    return False


def test_it_stores_without_valkey_and_shows_again_what_is_new_once_it_is_back(
    scene: Scene, manage: Manage, valkey: Restartable, vera: User
) -> None:
    port = embedded.free_port()
    ingest = scene.ingest(REDIS_URL=valkey.server.url)
    manage("runserver", f"127.0.0.1:{port}", "--noreload", REDIS_URL=valkey.server.url)
    wait_until(lambda: embedded.accepts_connections(port))
    form = {"username": vera.email, "password": PASSWORD}
    token = httpx.post(f"http://127.0.0.1:{port}/api/v1/login/access-token", data=form).json()["access_token"]
    assert_live(scene, port, token, 1.5)

    valkey.kill()
    scene.publish(mixed(scene.sensors, 3000, Clock.until_now(3000), random.Random(SEED))).wait()
    scene.drain()
    assert scene.faults() == []

    valkey.start()
    assert_live(scene, port, token, 2.5)
    scene.drain()
    end(ingest)
    assert scene.faults() == []
