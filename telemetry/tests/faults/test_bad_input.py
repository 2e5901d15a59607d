"""What devices send is wrong, or comes many times: good neighbours are stored, once."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from telemetry.readings import Reason
from telemetry.tests.faults.malformed import malformed, rejections
from telemetry.tests.faults.plan import Clock, mixed, one, several
from telemetry.tests.faults.scene import Scene, end, log_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mosquitto, pytest.mark.timeout(120)]

SEED = 20_261_124
POISON = 666.25
MOST_OF_A_SOURCE_AND_MINUTE = """
SELECT max(n) FROM (SELECT count(*) AS n FROM dead_letter GROUP BY source, date_trunc('minute', received_at)) AS counted
"""


@contextmanager
def refused(scene: Scene, value: float) -> Iterator[None]:
    """The database refuses this value."""
    with scene.connect() as connection:
        connection.execute(f"ALTER TABLE reading ADD CONSTRAINT no_poison CHECK (value <> {value})")
        try:
            yield
        finally:
            connection.execute("ALTER TABLE reading DROP CONSTRAINT no_poison")


def test_it_stores_the_neighbours_of_a_reading_that_only_the_database_refuses(scene: Scene) -> None:
    clock = Clock(datetime.now(UTC) - timedelta(hours=2), timedelta(seconds=1))
    first, second = scene.sensors[:2]
    rows = [(clock.for_sensor(first), POISON if i == 3210 else float(i)) for i in range(5000)]  # one batch
    singles = [one(second, clock.for_sensor(second), POISON if i == 777 else float(i)) for i in range(2000)]
    ingest = scene.ingest()
    with refused(scene, POISON):
        scene.publish([several(first, rows)], publishers=1).wait()
        scene.publish(singles).wait()
        scene.drain()
        end(ingest)
    assert scene.faults() == []
    with scene.connect() as connection:
        letters = connection.execute("SELECT address, reason FROM dead_letter ORDER BY address").fetchall()
        assert letters == [(sensor.address, str(Reason.DATABASE_REJECTED)) for sensor in (first, second)]
    assert scene.stored() == 7000 - 2 + 1


@pytest.mark.parametrize("messages", [150, pytest.param(1000, marks=pytest.mark.faults)])
def test_it_stores_once_what_is_delivered_twenty_times(scene: Scene, messages: int) -> None:
    rng = random.Random(SEED)
    clock = Clock.until_now(messages)
    ingest = scene.ingest()
    copies = mixed(scene.sensors, messages, clock, rng) * 20
    rng.shuffle(copies)
    scene.publish(copies).wait()
    scene.drain()
    end(ingest)
    assert scene.faults() == []


@pytest.mark.parametrize("messages", [500, pytest.param(10_000, marks=pytest.mark.faults)])
def test_it_stores_the_good_among_as_many_malformed(scene: Scene, messages: int) -> None:
    """Every bad one is counted; dead letters stay within the quota of their source."""
    rng = random.Random(SEED)
    clock = Clock.until_now(messages)
    bad = malformed(scene.sensors, messages, rng)
    sensors = rng.choices(scene.sensors, k=messages)
    good = [one(sensor, clock.for_sensor(sensor), float(i)) for i, sensor in enumerate(sensors)]
    together = [*bad, *good]
    rng.shuffle(together)
    ingest = scene.ingest(DEAD_LETTERS_PER_SOURCE_MINUTE=str(settings.DEAD_LETTERS_PER_SOURCE_MINUTE))
    scene.publish(together).wait()
    scene.drain()
    end(ingest)
    assert scene.faults(every_letter=False) == []
    assert sum(map(int, re.findall(r" count=(\d+)", log_of(ingest)))) == rejections(bad)
    with scene.connect() as connection:
        most = connection.execute(MOST_OF_A_SOURCE_AND_MINUTE).fetchone()
    assert most is not None
    assert 0 < most[0] <= settings.DEAD_LETTERS_PER_SOURCE_MINUTE
