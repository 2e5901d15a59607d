"""What was sent and acknowledged against what is in the database: nothing lost, nothing invented, nothing twice.

    acknowledged ⊆ stored ∪ dead letters ⊆ sent, each once; the latest and the rollups are those of what is stored
    ledger: received = stored + duplicate + conflict + dead, each minute and source; stored are all the readings

Pure: `contents.py` reads the database, the journals are written by `publisher.py`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from telemetry.ingest.letters import KEPT_BYTES
from telemetry.readings import Reading, Reason
from telemetry.storage.buckets import DAY, HOUR, MINUTE
from telemetry.tests.faults.plan import Planned
from telemetry.tests.samples import EPOCH
from telemetry.tests.storage.histories import differences, expected

SHOWN = 5  # of each kind of fault; the count says how many there are

Key = tuple[int, int]  # sensor, time in µs
Place = tuple[str, bytes, Reason]  # what tells one dead letter from another


class Journal(NamedTuple):
    """By number in the plan: how often a message was sent, and which ones a broker acknowledged."""

    sent: Counter[int]
    acknowledged: frozenset[int]

    @classmethod
    def read(cls, text: str) -> "Journal":
        """Of the lines that publishers wrote; the last one of a killed publisher may be cut off."""
        lines = [line.split(" ") for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return cls(
            Counter(int(number) for what, number in lines if what == "sent"),
            frozenset(int(number) for what, number in lines if what == "acknowledged"),
        )


class Letter(NamedTuple):
    """A dead letter; `key` is the reading that the database refused, where that is the reason."""

    topic: str
    payload: bytes
    reason: Reason
    key: Key | None = None


class Entry(NamedTuple):
    """Of the ledger: what came from a source in a minute, in samples."""

    source: str
    received: int
    stored: int
    duplicate: int
    conflict: int
    dead: int


class Contents(NamedTuple):
    """What is in the database. Rollups are rows of `histories.COLUMNS`, by level."""

    readings: Sequence[Reading]
    latest: Mapping[int, tuple[int, float, int]]  # time in µs, value, quality
    letters: Sequence[Letter]
    rollups: Mapping[str, Sequence[tuple[Any, ...]]]
    ledger: Sequence[Entry]


def faults(plan: Sequence[Planned], journal: Journal, found: Contents, *, every_letter: bool = True) -> list[str]:
    """What is wrong, in words; empty where nothing is.

    Args:
        every_letter: each acknowledged message that could not be stored is to be a dead letter; else the quota
            of its source may have left it out.
    """
    kinds = {
        "lost": _lost(plan, journal, found, every_letter),
        "invented": _invented(plan, journal, found),
        "twice": _twice(plan, journal, found),
        "wrong latest": _wrong_latest(found),
        "wrong rollup": _wrong_rollups(found),
        "broken ledger": _broken_ledger(found),
    }
    return [text for kind, each in kinds.items() for text in _told(kind, list(each))]


def _lost(plan: Sequence[Planned], journal: Journal, found: Contents, every_letter: bool) -> Iterator[str]:
    stored = {(sensor, time_us) for sensor, time_us, _, _ in found.readings}
    refused = {letter.key for letter in found.letters}
    kept = {(letter.topic, letter.payload, letter.reason) for letter in found.letters}
    for number in sorted(journal.acknowledged):
        message = plan[number]
        for reading in message.readings:
            if reading[:2] not in stored and reading[:2] not in refused:
                yield f"message {number}, acknowledged: {_shown(reading)}"
        for reason in message.reasons if every_letter else ():
            if _place(message, reason) not in kept:
                yield f"message {number}, acknowledged: no dead letter for {reason} ({message.payload[:40]!r})"


def _invented(plan: Sequence[Planned], journal: Journal, found: Contents) -> Iterator[str]:
    sent = {reading for number in journal.sent for reading in plan[number].readings}
    for reading in found.readings:
        if reading not in sent:
            yield _shown(reading)
    keys = {reading[:2] for reading in sent}
    places = _places(plan, journal)
    for letter in found.letters:
        if letter.key not in keys if letter.key is not None else letter[:3] not in places:
            yield f"a dead letter, {letter.reason}: {letter.payload[:40]!r} on {letter.topic}"


def _twice(plan: Sequence[Planned], journal: Journal, found: Contents) -> Iterator[str]:
    for key, times in Counter((sensor, time_us) for sensor, time_us, _, _ in found.readings).items():
        if times > 1:
            yield f"{times} rows of sensor {key[0]} at {key[1]} µs"
    for refused, times in Counter(letter.key for letter in found.letters if letter.key is not None).items():
        if times > 1:
            yield f"{times} dead letters of sensor {refused[0]} at {refused[1]} µs"
    places = _places(plan, journal)
    for place, times in Counter(letter[:3] for letter in found.letters if letter.key is None).items():
        if times > places[place] > 0:
            yield f"{times} dead letters for {place[2]}: {place[1][:40]!r} was sent {places[place]} times"


def _places(plan: Sequence[Planned], journal: Journal) -> Counter[Place]:
    """How often what could become each dead letter was sent."""
    places: Counter[Place] = Counter()
    for number, times in journal.sent.items():
        for reason in plan[number].reasons:
            places[_place(plan[number], reason)] += times
    return places


def _place(message: Planned, reason: Reason) -> Place:
    return message.topic, message.payload[:KEPT_BYTES], reason


def _wrong_latest(found: Contents) -> Iterator[str]:
    newest: dict[int, tuple[int, float, int]] = {}
    for sensor, time_us, value, quality in found.readings:
        if sensor not in newest or time_us > newest[sensor][0]:
            newest[sensor] = time_us, value, quality
    for sensor in sorted(newest.keys() | found.latest.keys()):
        if newest.get(sensor) != found.latest.get(sensor):
            yield f"sensor {sensor}: {found.latest.get(sensor)}, not {newest.get(sensor)}"


def _wrong_rollups(found: Contents) -> Iterator[str]:
    kept = {(sensor, time_us): (value, quality) for sensor, time_us, value, quality in found.readings}
    for level, unit in (("1m", MINUTE), ("1h", HOUR), ("1d", DAY)):
        for difference in differences(found.rollups[level], expected(kept, unit)):
            yield f"reading_{level}: {difference}"


def _broken_ledger(found: Contents) -> Iterator[str]:
    for entry in found.ledger:
        if entry.received != entry.stored + entry.duplicate + entry.conflict + entry.dead:
            yield str(entry)
    stored = sum(entry.stored for entry in found.ledger)
    if stored != len(found.readings):
        yield f"{stored} stored, and there are {len(found.readings)} readings"


def _shown(reading: Reading) -> str:
    sensor, time_us, value, quality = reading
    time = EPOCH + timedelta(microseconds=time_us)
    return f"{value} of quality {quality} of sensor {sensor} at {time.isoformat()}"


def _told(kind: str, all_of_kind: Sequence[str]) -> Iterable[str]:
    for text in all_of_kind[:SHOWN]:
        yield f"{kind}: {text}"
    if len(all_of_kind) > SHOWN:
        yield f"{kind}: {len(all_of_kind) - SHOWN} more"
