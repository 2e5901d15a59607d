"""Ingest is killed: at random, and between its commit and its acknowledgements."""

import random
import time

import pytest

from telemetry.tests.faults.plan import Clock, bad, mixed, one
from telemetry.tests.faults.proxy import Proxy
from telemetry.tests.faults.scene import Scene, end, log_of
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mosquitto, pytest.mark.timeout(300)]

SEED = 20_261_124


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.faults)])
def test_it_loses_nothing_when_it_is_killed_at_random(scene: Scene, kills: int) -> None:
    rng = random.Random(SEED)
    plan = mixed(scene.sensors, 600 * kills, Clock.until_now(600 * kills), rng)
    scene.ingest().kill()  # the broker knows the session from here on
    publishing = scene.publish(plan, rate=500)
    survived_s = [rng.uniform(0, 0.6) for _ in range(kills)]
    for seconds in survived_s:
        ingest = scene.ingest()
        time.sleep(seconds)
        ingest.kill()
        ingest.wait()
    before = scene.stored()
    publishing.wait()
    last = scene.ingest()
    scene.drain()
    end(last)
    assert before > 0
    assert scene.faults() == [], f"seed {SEED}: killed after {survived_s}"
    assert "session_present=True" in log_of(last)


def test_it_stores_once_what_it_could_not_acknowledge(scene: Scene, proxy: Proxy) -> None:
    """Killed exactly between commit and acknowledgement: the broker delivers all of it again."""
    clock = Clock.until_now(2000)
    ingest = scene.ingest()
    proxy.holds_acknowledgements = True
    good = [one(sensor, clock.for_sensor(sensor), float(i)) for i in range(40) for sensor in scene.sensors]
    scene.publish([*good, *(bad(sensor, i) for i, sensor in enumerate(scene.sensors))]).wait()
    wait_until(lambda: proxy.wires[-1].acknowledged.total() == len(scene.plan))
    assert scene.stored() == len(good)
    ingest.kill()
    ingest.wait()

    proxy.holds_acknowledgements = False
    second = scene.ingest()
    scene.drain()
    end(second)
    assert scene.faults() == []
    assert proxy.wires[-1].delivered.total() == len(scene.plan)
    with scene.connect() as connection:
        assert connection.execute("SELECT count(*), sum(seen) FROM dead_letter").fetchone() == (50, 100)
