"""Devices' clocks are wrong, or their readings come late."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from telemetry.readings import Reason
from telemetry.storage.plain import partition_name
from telemetry.tests.faults.plan import Clock, Planned, mixed, one
from telemetry.tests.faults.scene import Scene, end
from telemetry.tests.samples import ms
from telemetry.tests.waiting import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.mosquitto,
    pytest.mark.faults,
    pytest.mark.timeout(120),
]

SEED = 20_261_124
AHEAD = frozenset([Reason.TIMESTAMP_OUT_OF_RANGE])


def test_it_takes_readings_whenever_they_come(scene: Scene) -> None:
    """A day behind, eight days late, into days that are summed up and days that are not there; never from ahead."""
    now, rng = datetime.now(UTC), random.Random(SEED)
    known, new = now - timedelta(days=8), now - timedelta(days=11)
    sensors = scene.sensors
    ingest = scene.ingest()

    scene.publish([one(sensor, ms(known) + 5000 * i, float(i)) for i in range(60) for sensor in sensors]).wait()
    scene.publish(mixed(sensors, 1000, Clock.until_now(1000), rng)).wait()
    wait_until(lambda: scene.stored() > 3000)
    scene.refresh_rollups()
    with scene.connect() as connection:
        assert connection.execute("SELECT count(*) > 0 FROM rollup_1m WHERE bucket < %s", [now]).fetchone() == (True,)
        there = "SELECT to_regclass(%s) IS NOT NULL"
        assert connection.execute(there, [partition_name(new.date())]).fetchone() == (False,)

    late = [
        one(sensor, ms(day) + 7000 * i + 1, rng.uniform(-10, 10))
        for day in (known, new, now - timedelta(days=1))
        for i in range(20)
        for sensor in sensors
    ]
    ahead = [
        Planned(message.topic, message.payload, (), AHEAD)
        for message in (one(sensor, ms(now) + 86_400_000 + i, -float(i)) for i, sensor in enumerate(sensors))
    ]
    wrong = [*late, *ahead]
    rng.shuffle(wrong)
    publishing = scene.publish(wrong, rate=1500)
    while not publishing.is_done:
        scene.refresh_rollups()
    publishing.wait()
    scene.drain()
    end(ingest)
    assert scene.faults() == []
    with scene.connect() as connection:
        assert connection.execute(there, [partition_name(new.date())]).fetchone() == (True,)
