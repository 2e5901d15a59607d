"""Readings that come in a request: the stages of ingest one after the other, for one body, in the caller's thread."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypedDict
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import connection

from alarms.rule_set import Rules
from plants.models import PlantQuerySet, SensorQuerySet
from telemetry.ingest.decode import HTTP_TOPIC, decode_addressed
from telemetry.ingest.judge import refuse
from telemetry.ingest.ledger import Kind, Receipt
from telemetry.ingest.letters import Letter, Quota, letters_from
from telemetry.ingest.quarantine import Room
from telemetry.ingest.resolve import Directory, directory_of
from telemetry.ingest.store import Store, Stored
from telemetry.ingest.validate import Window, outside, validate
from telemetry.live.publish import LivePublisher
from telemetry.readings import Message, Reading, Reason, Rejected, Sample

RULES = Rules()  # in memory from one request to the next
SHOWN_CHARACTERS = 300  # of an address, which may be any text; one of four slugs has 255 at most


class Sender(NamedTuple):
    """Who sends, by what exists for them."""

    name: str  # plant/name of a device, or a user's email
    plant: str  # slug of a device's plant; empty for a user
    sensors: SensorQuerySet
    plants: PlantQuerySet
    root: str  # what a device's addresses begin with; empty for a user


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


def ingest(
    payload: bytes, sender: Sender, received_us: int, accepted: Window, quota: Quota, room: Room
) -> Answer | Rejected:
    """Stores the readings of a body, and letters for what is none; what the answer counts is committed.

    Rejected: nothing of the body can be read; there is a letter then, too.
    Raises psycopg.Error as `Store.write`: the same body may be sent again.
    """
    decoded = decode_addressed(payload, received_us)
    if isinstance(decoded, Rejected):
        whole = Message(HTTP_TOPIC, payload, received_us, None, is_repeated=True)
        letters = letters_from(sender.name, sender.plant, whole, [decoded], quota)
        write([], letters, [(sender.name, 1, 0, 1)], [], {decoded.reason: 1}, quota, room)
        return decoded
    addresses = {each[0] for each in decoded if not isinstance(each, Rejected) and each[0].startswith(sender.root)}
    directory = directory_of(addresses, sender.sensors, sender.plants)
    readings: list[Reading] = []
    places: list[int] = []  # of the readings in the body
    rejected: dict[int, Rejected] = {}
    unknown: list[Sample] = []
    for index, sample in enumerate(decoded):
        result = _reading(sample, directory, sender.root, accepted)
        if isinstance(result, Rejected):
            rejected[index] = result
            if result.reason is Reason.UNKNOWN_SENSOR and not isinstance(sample, Rejected):
                unknown.append(sample)
        else:
            readings.append(result)
            places.append(index)
    letters = _letters(payload, rejected, sender, directory, received_us, quota) if rejected else []
    receipt = (sender.name, len(decoded), len(readings), len(rejected))
    reasons = Counter[str](why.reason for why in rejected.values())
    stored = write(readings, letters, [receipt], _theirs(unknown, sender), reasons, quota, room)
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


def _theirs(unknown: Iterable[Sample], sender: Sender) -> list[Sample]:
    """Without those for places of which a device must not even know whether they exist."""
    return [sample for sample in unknown if sample[0].startswith(sender.root)]


def _letters(
    payload: bytes,
    rejected: Mapping[int, Rejected],
    sender: Sender,
    directory: Directory,
    received_us: int,
    quota: Quota,
) -> list[Letter]:
    """A letter for each plant and reason, with those samples of the body that are rejected for it, and no others."""
    body = _elements(payload)
    parts: defaultdict[tuple[str, Reason], list[int]] = defaultdict(list)
    for index, each in rejected.items():
        slug = each.source.partition("/")[0]
        parts[sender.plant or (slug if slug in directory.plants else ""), each.reason].append(index)
    letters: list[Letter] = []
    for (plant, _), indexes in parts.items():
        part = json.dumps([body[index] for index in indexes], ensure_ascii=False).encode() if body else payload
        message = Message(HTTP_TOPIC, part, received_us, None, is_repeated=True)
        letters += letters_from(sender.name, plant, message, [rejected[index] for index in indexes], quota)
    return letters


def _elements(payload: bytes) -> list[Any] | None:
    """Of a body that is a list; None where it can't be made out exactly."""
    try:
        elements: list[Any] = json.loads(payload)  # not orjson, which makes floats of large integers
    except (RecursionError, ValueError):  # nested hundreds of levels deep; an integer of thousands of digits
        return None
    return elements


def _reading(sample: Sample | Rejected, directory: Directory, root: str, accepted: Window) -> Reading | Rejected:
    if isinstance(sample, Rejected):
        return sample
    sensor = directory.sensors.get(sample[0])
    if sensor is not None:
        return validate(sample, sensor, accepted)
    shown = sample[0][:SHOWN_CHARACTERS]
    if root:  # alike whether the sensor is another's or nobody's
        nobody = f"This device, which sends for {root}…, has no sensor {shown}."
        return outside(sample, accepted) or Rejected(shown, Reason.UNKNOWN_SENSOR, nobody)
    return refuse((shown, *sample[1:]), directory, accepted)


def write(
    readings: list[Reading],
    letters: list[Letter],
    receipts: list[Receipt],
    unknown: list[Sample],
    reasons: Mapping[str, int],
    quota: Quota,
    room: Room,
) -> Stored:
    """Stage 6 on Django's connection, which is there already."""
    connection.ensure_connection()
    store = Store(lambda: connection.connection, quota, Kind.HTTP, room, RULES)
    return store.write(readings, letters, receipts, unknown, reasons)


@cache
def publisher() -> LivePublisher:
    """One of this process, so that its frames have one numbering."""
    return LivePublisher(leads=False)


def publish(newest: list[Reading], plant_of: Mapping[int, UUID]) -> None:
    """Stage 8, best effort. In the event loop, where nothing comes between the two steps."""

    async def offer_and_flush() -> None:
        publisher().offer(newest, plant_of)
        await publisher().flush()

    if newest:
        async_to_sync(offer_and_flush)()
