"""The network between ingest and broker is slow, cuts connections, or swallows all they carry."""

import random
import time

import pytest

from telemetry.tests.faults.plan import Clock, mixed
from telemetry.tests.faults.proxy import Proxy
from telemetry.tests.faults.scene import Scene, end, log_of, wait_for_log
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mosquitto, pytest.mark.timeout(180)]

SEED = 20_261_124


@pytest.mark.parametrize("cuts", [2, pytest.param(5, marks=pytest.mark.faults)])
def test_it_loses_nothing_when_connections_are_cut_within_a_packet(scene: Scene, proxy: Proxy, cuts: int) -> None:
    clock, rng = Clock.until_now(1500 * cuts), random.Random(SEED)
    ingest = scene.ingest()
    for cut in range(1, cuts + 1):
        publishing = scene.publish_some(mixed(scene.sensors, 1500, clock, rng), rate=1500)
        proxy.cut()
        wait_for_log(ingest, "broker connected", times=cut + 1)
        publishing.wait()
    scene.drain()
    end(ingest)
    assert len(proxy.wires) == cuts + 1
    assert not any(wire.stale for wire in proxy.wires)
    assert scene.faults() == []


@pytest.mark.faults
def test_it_takes_packets_in_pieces_and_slowly(scene: Scene, proxy: Proxy) -> None:
    proxy.chunk, proxy.pause_s = 37, 0.0005
    ingest = scene.ingest()
    scene.publish(mixed(scene.sensors, 2000, Clock.until_now(2000), random.Random(SEED))).wait()
    scene.drain()
    end(ingest)
    assert len(proxy.wires) == 1
    assert scene.faults() == []


@pytest.mark.faults
def test_it_leaves_a_connection_that_swallows_everything(scene: Scene, proxy: Proxy) -> None:
    """Only the keep-alive tells: 10 s, by the broker's configuration."""
    ingest = scene.ingest()
    publishing = scene.publish(mixed(scene.sensors, 4000, Clock.until_now(4000), random.Random(SEED)), rate=200)
    wait_until(lambda: proxy.wires[-1].acknowledged.total() > 100)
    proxy.swallow()
    began = time.monotonic()
    wait_until(lambda: len(proxy.wires) > 1, within_s=60)
    assert time.monotonic() - began > 5
    publishing.wait()
    scene.drain()
    end(ingest)
    assert "the broker does not answer" in log_of(ingest)
    assert not any(wire.stale for wire in proxy.wires)
    assert scene.faults() == []
