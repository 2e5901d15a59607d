"""What publishers are to send, and what must become of each message."""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

from plants.models import Sensor
from plants.scales import GOOD, UNCERTAIN
from telemetry.readings import Reading, Reason
from telemetry.tests.samples import ms

BAD_EVERY = 50  # one message in so many can't become a reading


class Planned(NamedTuple):
    """A message, the readings in it that are to be stored, and the reasons for which it is to be a dead letter."""

    topic: str
    payload: bytes
    readings: tuple[Reading, ...] = ()
    reasons: frozenset[Reason] = frozenset()


class Clock:
    """Gives every sensor, and every machine as a whole, times that none of its readings has yet."""

    def __init__(self, start: datetime, step: timedelta) -> None:
        self._start_ms = ms(start)
        self._step_ms = step // timedelta(milliseconds=1)
        self._of_sensors: defaultdict[int, count[int]] = defaultdict(count)
        self._of_machines: defaultdict[str, count[int]] = defaultdict(count)

    @classmethod
    def until_now(cls, messages: int) -> "Clock":
        """For so many messages of 50 sensors: the last two hours."""
        return cls(datetime.now(UTC) - timedelta(hours=2), timedelta(hours=2) / (10 + messages // 10))

    def for_sensor(self, sensor: Sensor) -> int:
        return self._start_ms + self._step_ms * next(self._of_sensors[sensor.number])

    def for_machine(self, topic: str) -> int:
        """A millisecond beside those of its sensors."""
        return self._start_ms + self._step_ms * next(self._of_machines[topic]) + 1


def machine_topic(sensor: Sensor) -> str:
    return f"inqube/v1/{sensor.address.rpartition('/')[0]}/t"


def sensor_topic(sensor: Sensor) -> str:
    return f"{machine_topic(sensor)}/{sensor.slug}"


def one(sensor: Sensor, ts: int, value: float, quality: int = GOOD) -> Planned:
    """A message with one reading."""
    body = {"v": value, "ts": ts} | ({} if quality == GOOD else {"q": quality})
    return Planned(sensor_topic(sensor), json.dumps(body).encode(), ((sensor.number, ts * 1000, value, quality),))


def several(sensor: Sensor, rows: Sequence[tuple[int, float]]) -> Planned:
    """A message with several (ts, value) of one sensor."""
    body = [{"v": value, "ts": ts} for ts, value in rows]
    readings = tuple((sensor.number, ts * 1000, value, GOOD) for ts, value in rows)
    return Planned(sensor_topic(sensor), json.dumps(body).encode(), readings)


def machine(sensors: Sequence[Sensor], ts: int, values: Sequence[float]) -> Planned:
    """A message with one reading of each of these sensors of a machine."""
    body = {"ts": ts, "values": {sensor.slug: value for sensor, value in zip(sensors, values, strict=True)}}
    readings = tuple((sensor.number, ts * 1000, value, GOOD) for sensor, value in zip(sensors, values, strict=True))
    return Planned(machine_topic(sensors[0]), json.dumps(body).encode(), readings)


def bad(sensor: Sensor, number: int) -> Planned:
    """One that can't become a reading, unlike any of another number."""
    kinds = [
        (sensor_topic(sensor), f"{number},5", Reason.INVALID_JSON),
        (sensor_topic(sensor), f'{{"v": "of {number}"}}', Reason.NOT_A_NUMBER),
        (f"{machine_topic(sensor)}/nobody", str(number), Reason.UNKNOWN_SENSOR),
        ("inqube/v1/atlantis/line/m0/t/s0", str(number), Reason.UNKNOWN_PLANT),
    ]
    topic, payload, reason = kinds[number % len(kinds)]
    return Planned(topic, payload.encode(), (), frozenset([reason]))


def mixed(sensors: Sequence[Sensor], messages: int, clock: Clock, rng: random.Random) -> list[Planned]:
    """So many messages of all shapes; about one in BAD_EVERY is bad."""
    machines: dict[str, list[Sensor]] = {}
    for sensor in sensors:
        machines.setdefault(machine_topic(sensor), []).append(sensor)
    together = list(machines.items())
    plan = []
    for number in range(messages):
        sensor = rng.choice(sensors)
        value = round(rng.uniform(-50, 150), 2)
        if number % BAD_EVERY == BAD_EVERY - 1:
            plan.append(bad(sensor, number))
        elif number % 10 == 7:
            plan.append(several(sensor, [(clock.for_sensor(sensor), value + i) for i in range(5)]))
        elif number % 10 == 3:
            topic, members = rng.choice(together)
            plan.append(machine(members, clock.for_machine(topic), [value + i for i in range(len(members))]))
        else:
            plan.append(one(sensor, clock.for_sensor(sensor), value, UNCERTAIN if number % 17 == 0 else GOOD))
    return plan
