"""The topic tester: what ingest would make of a message, by its own stages; nothing is stored."""

from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from plants.models import Machine, Plant, Sensor
from telemetry.ingest.decode import decode, parse_topic
from telemetry.ingest.resolve import Directory, known_sensors
from telemetry.ingest.validate import Window, validate
from telemetry.readings import Message, Reading, Rejected, Sample, instant

MAX_TOPIC = 1024  # characters; a topic of four slugs has 280


class Tested(NamedTuple):
    """A sample of a message, or the message where it cannot be taken apart, and what would become of it."""

    address: str  # the topic where the message is refused
    sensor: Sensor | None  # None where there is no such sensor
    time: datetime | None  # None for one that no calendar has
    value: float | None  # what would be stored
    quality: int | None
    rejected: Rejected | None

    @property
    def outcome(self) -> str:
        return "rejected" if self.rejected else "stored"

    @property
    def reason(self) -> str | None:
        return str(self.rejected.reason) if self.rejected else None

    @property
    def detail(self) -> str:
        return self.rejected.detail if self.rejected else ""


def examine(message: Message, user: User | AnonymousUser, accepted: Window) -> list[Tested]:
    """What stages 2 to 4 of ingest make of the message, if there were only what exists for the user."""
    sensors, directory = _around(message.topic, user)
    by_number = {sensor.number: sensor for sensor in sensors}
    samples, rejected = decode(message)
    found = []
    for sample in samples:
        known = directory.sensors.get(sample[0])
        result = validate(sample, known, accepted) if known else directory.unknown(sample[0])
        found.append(_tested(sample, by_number[known.number] if known else None, result))
    return found + [Tested(each.source, None, None, None, None, each) for each in rejected]


def _around(topic: str, user: User | AnonymousUser) -> tuple[list[Sensor], Directory]:
    """The sensors of the machine that a topic names, and a directory of no more than these and its plant."""
    parsed = parse_topic(topic)
    machine = parsed[0] if parsed else ""
    sensors = Sensor.objects.visible_to(user).filter(machine__in=Machine.objects.named([machine]))
    plants = Plant.objects.visible_to(user).named([machine.partition("/")[0]])
    return list(sensors), Directory(known_sensors(sensors), dict(plants.values_list("slug", "pk")))


def _tested(sample: Sample, sensor: Sensor | None, result: Reading | Rejected) -> Tested:
    address, time_us, _, quality = sample
    if isinstance(result, Rejected):
        return Tested(address, sensor, _moment(time_us), None, quality, result)
    return Tested(address, sensor, _moment(time_us), result[2], quality, None)


def _moment(time_us: int) -> datetime | None:
    try:
        return instant(time_us)
    except OverflowError:
        return None
