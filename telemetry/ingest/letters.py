"""What cannot become a reading, as letters for the inbox of dead letters. Pure, but for the quota's memory.

One letter a message and reason, with the message as it came: to be looked at, and to be replayed after the fix. What a
source sends beyond its quota is only counted, so that a broken device cannot fill the disk.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import orjson

from plants.scales import instant
from telemetry.ingest.decode import parse_topic
from telemetry.readings import Message, Reading, Reason, Rejected

KEPT_BYTES = 64 * 1024  # of a payload; what is longer is cut off, and can't be replayed
TEXT_CHARACTERS = 1000  # of a topic, an address, a detail: slugs fit, and what else there is fills no disk
SOURCES_A_MINUTE = 100  # whose quota an ingest process keeps in all: made-up topics are sources without end
NO_MACHINE = "invalid topics"  # the source of messages whose topic names no machine
MINUTE_US = 60_000_000


class Letter(NamedTuple):
    """A message that was rejected for one reason, wholly or in part.

    `digest` tells one message from another: it is the same where the broker delivers a message again.
    """

    id: uuid.UUID
    received_us: int
    source: str  # plant/zone/machine; plant/name of a device that sends over HTTP, or a user's email
    topic: str  # HTTP_TOPIC for what came over HTTP
    address: str  # of the first rejected sample, if one was made out
    payload: bytes  # KEPT_BYTES of it
    payload_bytes: int
    reason: Reason
    detail: str  # how to mend it, for the first
    samples: int  # of this message, rejected for this reason
    digest: bytes
    is_repeated: bool  # delivered before, says the broker: the letter may be there already
    plant: str  # its slug, if there is such a plant: whose operators see the letter


class Quota:
    """How many letters each source may still leave in the current minute; forgets the minute before."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._minute = 0
        self._left: Counter[str] = Counter()
        self._total = 0

    def take(self, source: str, received_us: int) -> bool:
        minute = received_us // MINUTE_US
        if minute != self._minute:
            self._minute, self._total = minute, 0
            self._left.clear()
        if self._left[source] >= self._per_minute or self._total >= self._per_minute * SOURCES_A_MINUTE:
            return False
        self._left[source] += 1
        self._total += 1
        return True


def source_of(topic: str) -> str:
    """The `plant/zone/machine` of a topic."""
    parsed = parse_topic(topic)
    return parsed[0] if parsed else NO_MACHINE


def letters(message: Message, rejected: Sequence[Rejected], quota: Quota) -> list[Letter]:
    """A letter for each reason, as far as the quota goes."""
    source = source_of(message.topic)
    return letters_from(source, source.partition("/")[0], message, rejected, quota)


def letters_from(source: str, plant: str, message: Message, rejected: Sequence[Rejected], quota: Quota) -> list[Letter]:
    """As `letters`, for a source that the message doesn't name."""
    first: dict[Reason, Rejected] = {}
    for each in rejected:
        first.setdefault(each.reason, each)
    wanted = [each for each in first.values() if quota.take(source, message.received_us)]
    if not wanted:
        return []
    counts = Counter(each.reason for each in rejected)
    digest = _digest(source, message)
    return [
        Letter(
            uuid.uuid4(),
            message.received_us,
            source,
            clean(message.topic),
            "" if each.source == message.topic else clean(each.source),
            message.payload[:KEPT_BYTES],
            len(message.payload),
            each.reason,
            clean(each.detail),
            counts[each.reason],
            digest,
            message.is_repeated,
            plant,
        )
        for each in wanted
    ]


def letter_of_reading(address: str, reading: Reading, now_us: int, detail: str) -> Letter:
    """For a reading that only the database refuses: as the message that carries nothing else.

    Its digest has no packet id, since a reading is known by its sensor and time: there is never a second letter.
    """
    _, time_us, value, quality = reading
    machine, _, sensor = address.rpartition("/")
    topic = f"inqube/v1/{machine}/t/{sensor}"
    payload = orjson.dumps({"v": value, "ts": instant(time_us).isoformat(), "q": quality})
    message = Message(topic, payload, now_us, None, is_repeated=True)
    return Letter(
        uuid.uuid4(),
        now_us,
        machine,
        topic,
        address,
        payload,
        len(payload),
        Reason.DATABASE_REJECTED,
        clean(detail),
        1,
        _digest(machine, message),
        is_repeated=True,
        plant=machine.partition("/")[0],
    )


def clean(text: str) -> str:
    """As much of a text as is kept, without what the database's texts can't hold: NUL and lone surrogates."""
    return text[:TEXT_CHARACTERS].replace("\x00", "\\0").encode(errors="backslashreplace").decode()


def _digest(source: str, message: Message) -> bytes:
    """The packet id is in it, for a broker that delivers again uses the same one (MQTT 5, 4.4)."""
    found = blake2b(message.topic.encode(errors="backslashreplace"), digest_size=16)
    found.update(source.encode())
    found.update(b"\0%d\0" % (message.token.packet_id if message.token else 0))
    found.update(message.payload)
    return found.digest()
