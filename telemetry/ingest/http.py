"""Readings that come in a request: the stages of ingest one after the other, for one body, in the caller's thread."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple, TypedDict
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import connection

from plants.models import PlantQuerySet, SensorQuerySet
from telemetry.ingest.decode import decode_addressed
from telemetry.ingest.ledger import Kind, Receipt
from telemetry.ingest.resolve import Directory, known_sensors
from telemetry.ingest.store import Store, Stored
from telemetry.ingest.validate import Window, validate
from telemetry.live.publish import LivePublisher
from telemetry.readings import ADDRESS, Reading, Reason, Rejected, Sample

LOOKUPS = ("machine__zone__plant__slug__in", "machine__zone__slug__in", "machine__slug__in", "slug__in")
SHOWN_CHARACTERS = 300  # of an address, which may be any text; one of four slugs has 255 at most


class Sender(NamedTuple):
    """Who sends, by what exists for them. `root` is what a device's addresses begin with; empty for a user."""

    name: str  # plant/name of a device, or a user's email
    sensors: SensorQuerySet
    plants: PlantQuerySet
    root: str


class RejectedSample(TypedDict):
    index: int  # in the body's list
    reason: str
    detail: str


class Answer(TypedDict):
    """What became of the samples: received = stored + duplicate + conflict + len(rejected)."""

    received: int
    stored: int
    duplicate: int
    conflict: int
    rejected: list[RejectedSample]


def ingest(payload: bytes, sender: Sender, received_us: int, accepted: Window) -> Answer | Rejected:
    """Stores the readings of a body; what the answer counts is committed. Rejected: nothing of the body can be read.

    Raises psycopg.Error as `Store.write`: the same body may be sent again.
    """
    decoded = decode_addressed(payload, received_us)
    if isinstance(decoded, Rejected):
        write([], [(sender.name, 1, 0, 1)])
        return decoded
    directory = _directory(sender, {each[0] for each in decoded if not isinstance(each, Rejected)})
    readings: list[Reading] = []
    places: list[int] = []  # of the readings in the body
    rejected: dict[int, Rejected] = {}
    for index, sample in enumerate(decoded):
        result = _reading(sample, directory, sender.root, accepted)
        if isinstance(result, Rejected):
            rejected[index] = result
        else:
            readings.append(result)
            places.append(index)
    stored = write(readings, [(sender.name, len(decoded), len(readings), len(rejected))])
    publish(stored.newest, directory.plant_of)
    rejected |= {places[place]: why for place, why in stored.refused.items()}
    return Answer(
        received=len(decoded),
        stored=stored.stored,
        duplicate=stored.duplicate,
        conflict=stored.conflict,
        rejected=[
            RejectedSample(index=index, reason=str(why.reason), detail=why.detail)
            for index, why in sorted(rejected.items())
        ],
    )


def _directory(sender: Sender, addresses: Iterable[str]) -> Directory:
    """Those of these sensors that exist for the sender, and no others."""
    wanted = {each for each in addresses if each.startswith(sender.root) and ADDRESS.fullmatch(each)}
    if not wanted:
        return Directory({}, dict(sender.plants.values_list("slug", "pk")))
    # Each level's slugs by themselves, which takes in a few sensors more, is quicker than thousands of ORs.
    levels = zip(*(each.split("/") for each in wanted), strict=True)
    found = known_sensors(sender.sensors.filter(**dict(zip(LOOKUPS, map(set, levels), strict=True))))
    sensors = {address: sensor for address, sensor in found.items() if address in wanted}
    return Directory(sensors, dict(sender.plants.values_list("slug", "pk")))


def _reading(sample: Sample | Rejected, directory: Directory, root: str, accepted: Window) -> Reading | Rejected:
    if isinstance(sample, Rejected):
        return sample
    sensor = directory.sensors.get(sample[0])
    if sensor is not None:
        return validate(sample, sensor, accepted)
    shown = sample[0][:SHOWN_CHARACTERS]
    if root:  # alike whether the sensor is another's or nobody's
        return Rejected(shown, Reason.UNKNOWN_SENSOR, f"This device, which sends for {root}…, has no sensor {shown}.")
    return directory.unknown(shown)


def write(readings: list[Reading], receipts: list[Receipt]) -> Stored:
    """Stage 6 on Django's connection, which is there already."""
    connection.ensure_connection()
    return Store(lambda: connection.connection, kind=Kind.HTTP).write(readings, (), receipts)


@cache
def publisher() -> LivePublisher:
    """One of this process, so that its frames have one numbering."""
    return LivePublisher()


def publish(newest: list[Reading], plant_of: Mapping[int, UUID]) -> None:
    """Stage 8, best effort. In the event loop, where nothing comes between the two steps."""

    async def offer_and_flush() -> None:
        publisher().offer(newest, plant_of)
        await publisher().flush()

    if newest:
        async_to_sync(offer_and_flush)()
