"""The topic tester: what ingest would make of a message, by its own stages; nothing is stored."""

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from plants.models import Plant, Sensor
from plants.scales import instant
from telemetry.ingest.decode import decode
from telemetry.ingest.judge import reading_of
from telemetry.ingest.letters import source_of
from telemetry.ingest.resolve import directory_of
from telemetry.ingest.validate import Window
from telemetry.readings import Message, Rejected

MAX_TOPIC = 1024  # characters; a topic of four slugs has 280


class Tested(NamedTuple):
    """A sample of a message, or the message where it cannot be taken apart, and what would become of it."""

    address: str  # the topic where the message is refused
    plant: Plant | None  # None where there is no such plant; the same for the sensor
    sensor: Sensor | None
    time: datetime | None  # None for one that no calendar has
    value: float | None  # what would be stored
    quality: int | None
    rejected: Rejected | None

    @property
    def tz(self) -> tzinfo:
        """The plant's, or UTC."""
        return self.plant.tz if self.plant else UTC

    @property
    def label(self) -> str | None:
        """What the value means to a state sensor."""
        return self.sensor.states.get(f"{self.value:.0f}") if self.sensor and self.value is not None else None

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
    samples, rejected = decode(message)
    addresses = {sample[0] for sample in samples}
    of_topic = source_of(message.topic).partition("/")[0]
    slugs = {of_topic, *(address.partition("/")[0] for address in addresses)}
    plants = Plant.objects.visible_to(user).filter(slug__in=slugs)
    plant_of = {plant.slug: plant for plant in plants}
    directory = directory_of(addresses, Sensor.objects.visible_to(user), plants)
    numbers = [known.number for known in directory.sensors.values()]
    sensor_of = {each.number: each for each in Sensor.objects.filter(number__in=numbers).select_related("machine")}
    found = []
    for sample in samples:
        address, time_us, _, quality = sample
        known = directory.sensors.get(address)
        sensor = sensor_of[known.number] if known else None
        plant = plant_of.get(address.partition("/")[0])
        result = reading_of(sample, directory, accepted)
        if isinstance(result, Rejected):
            found.append(Tested(address, plant, sensor, _moment(time_us), None, quality, result))
        else:
            found.append(Tested(address, plant, sensor, _moment(time_us), result[2], quality, None))
    return found + [Tested(each.source, plant_of.get(of_topic), None, None, None, None, each) for each in rejected]


def _moment(time_us: int) -> datetime | None:
    try:
        return instant(time_us)
    except OverflowError:
        return None
