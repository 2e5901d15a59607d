"""Ingest is killed while readings cross limits: each alarm is in the journal once, as the slow model of alarms says."""

import random
import time
from datetime import timedelta

import pytest
from django.utils.timezone import now

from alarms.models import Alarm, AlarmEvent, Rule
from alarms.tests.reference import Asked, Happened, Told, changes, episodes
from plants.models import Sensor
from plants.scales import BAD, GOOD, SECOND_US, UNCERTAIN, microseconds
from telemetry.models import Reading
from telemetry.tests.faults.plan import Clock, Planned, mixed, one
from telemetry.tests.faults.proxy import Proxy
from telemetry.tests.faults.scene import Scene, end
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mosquitto, pytest.mark.timeout(300)]

SEED = 20_261_130
STEP = timedelta(seconds=5)
# Of a value that jumps between 0 and 9 with each step.
ASKED = (
    Asked("high", 6),
    Asked("high_high", 7, deadband=3, on_us=7 * SECOND_US),
    Asked("low", 2, deadband=1, on_us=3 * SECOND_US, off_us=12 * SECOND_US),
    Asked("rate", 60.7, off_us=15 * SECOND_US),
    Asked("stuck", 4, deadband=1),
)


def make_rules(sensor: Sensor) -> list[Rule]:
    return [
        Rule.objects.create(
            plant=sensor.machine.zone.plant,
            sensor=sensor,
            kind=asked.kind,
            setpoint=asked.setpoint,
            deadband=asked.deadband,
            on_delay_s=asked.on_us / SECOND_US,
            off_delay_s=asked.off_us / SECOND_US,
        )
        for asked in ASKED
    ]


def crossings(sensor: Sensor, readings: int, rng: random.Random) -> list[Planned]:
    """In the order of their time, some bad; to be sent by one publisher, which keeps the order."""
    clock = Clock(now() - STEP * (readings + 1), STEP)
    qualities = [GOOD, GOOD, GOOD, UNCERTAIN, BAD]
    return [
        one(sensor, clock.for_sensor(sensor), float(rng.randint(0, 9)), rng.choice(qualities)) for _ in range(readings)
    ]


def expected(sensor: Sensor, asked: Asked) -> list[Happened]:
    """By what is stored, of which the checker says that it is what was sent."""
    rows = Reading.objects.filter(sensor__number=sensor.number).order_by("time").values_list("time", "value", "quality")
    history = [Told(microseconds(time), value, quality < UNCERTAIN) for time, value, quality in rows]
    return changes(asked, history, history[-1].time_us)


def told(rule: Rule) -> list[Happened]:
    rows = AlarmEvent.objects.filter(alarm__rule=rule).order_by("id").values_list("kind", "time", "value")
    return [Happened(kind, microseconds(time), value or 0.0) for kind, time, value in rows]


def check_journal(sensor: Sensor, rules: list[Rule], seed: str) -> None:
    for rule, asked in zip(rules, ASKED, strict=True):
        happened = expected(sensor, asked)
        assert len(happened) > 10, f"{asked}: nothing was tried"
        assert told(rule) == happened, f"{asked}, {seed}"
        [alarm] = Alarm.objects.filter(rule=rule)  # nobody has acknowledged it, so that it is one
        [episode] = episodes(happened)
        assert (alarm.state, alarm.occurrences) == (episode.state, len(episode.spans))


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.faults)])
def test_it_raises_and_clears_once_when_it_is_killed_at_random(scene: Scene, kills: int) -> None:
    rng = random.Random(SEED)
    watched, *others = scene.sensors
    rules = make_rules(watched)
    crossing = crossings(watched, 70 * kills, rng)
    scene.ingest().kill()  # the broker knows the session from here on
    load = scene.publish(mixed(others, 500 * kills, Clock.until_now(500 * kills), rng), rate=500)
    publishing = scene.publish(crossing, publishers=1, rate=70)
    survived_s = [rng.uniform(0, 0.6) for _ in range(kills)]
    for seconds in survived_s:
        ingest = scene.ingest()
        time.sleep(seconds)
        ingest.kill()
        ingest.wait()
    load.wait()
    publishing.wait()
    last = scene.ingest()
    scene.drain()
    end(last)
    assert scene.faults() == []
    check_journal(watched, rules, f"seed {SEED}: killed after {survived_s}")


def test_it_raises_once_what_it_could_not_acknowledge(scene: Scene, proxy: Proxy) -> None:
    """Killed exactly between commit and acknowledgement: the broker delivers all of it again."""
    watched = scene.sensors[0]
    rules = make_rules(watched)
    first = scene.ingest()
    proxy.holds_acknowledgements = True
    scene.publish(crossings(watched, 200, random.Random(SEED)), publishers=1).wait()
    wait_until(lambda: proxy.wires[-1].acknowledged.total() == len(scene.plan))
    before = [told(rule) for rule in rules]
    first.kill()
    first.wait()

    proxy.holds_acknowledgements = False
    second = scene.ingest()
    scene.drain()
    end(second)
    assert proxy.wires[-1].delivered.total() == len(scene.plan)
    assert [told(rule)[: len(journal)] for rule, journal in zip(rules, before, strict=True)] == before
    check_journal(watched, rules, "nothing was acknowledged")
