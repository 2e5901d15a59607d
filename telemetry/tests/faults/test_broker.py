"""The broker is restarted, or loses what it held."""

import random
import shutil
from pathlib import Path

import pytest

from telemetry.models import IngestEvent
from telemetry.tests.faults.plan import Clock, mixed
from telemetry.tests.faults.proxy import Proxy
from telemetry.tests.faults.scene import Scene, end, log_of
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mosquitto, pytest.mark.timeout(120)]

SEED = 20_261_124


@pytest.mark.parametrize("restarts", [1, pytest.param(4, marks=pytest.mark.faults)])
def test_it_loses_nothing_when_the_broker_restarts(scene: Scene, proxy: Proxy, restarts: int) -> None:
    clock, rng = Clock.until_now(1500 * restarts), random.Random(SEED)
    ingest = scene.ingest()
    for _ in range(restarts):
        publishing = scene.publish_some(mixed(scene.sensors, 1500, clock, rng), rate=1500)
        scene.broker.stop()
        scene.broker.start()
        publishing.wait()
    scene.drain()
    end(ingest)
    assert scene.faults() == []
    assert log_of(ingest).count("session_present=True") >= 1
    assert not IngestEvent.objects.exists()
    assert not any(wire.stale for wire in proxy.wires)


@pytest.mark.faults
def test_it_acknowledges_nothing_to_a_broker_that_has_lost_it(scene: Scene, proxy: Proxy, tmp_path: Path) -> None:
    """The new session uses the packet ids of the old one for other messages, while the old ones are being stored."""
    clock, rng = Clock.until_now(3000), random.Random(SEED)
    ingest = scene.ingest()
    with scene.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE reading")
        scene.publish(mixed(scene.sensors, 1000, clock, rng)).wait()
        wait_until(lambda: proxy.wires[-1].delivered.total() == 1000)
        scene.broker.kill()
        shutil.rmtree(tmp_path / "mosquitto")
        (tmp_path / "mosquitto").mkdir()
        scene.broker.start()
        wait_until(lambda: scene.subscriptions() == 2)
        scene.publish(mixed(scene.sensors, 500, clock, rng)).wait()
        wait_until(lambda: proxy.wires[-1].delivered.total() == 500)
        first, last = proxy.wires[0], proxy.wires[-1]
        assert set(last.delivered) < set(first.delivered)
        assert first.acknowledged.total() + last.acknowledged.total() == 0
    scene.drain()
    end(ingest)
    assert set(IngestEvent.objects.values_list("kind", "client_id")) == {("session_lost", scene.client_id)}
    assert last.acknowledged == last.delivered
    assert not any(wire.stale for wire in proxy.wires)
    assert scene.faults() == []
