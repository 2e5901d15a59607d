"""Dead letters through ingest's stages once more, after what was wrong has been mended.

What a letter's message holds is stored as if it had come only now, but with its old time of receipt. Readings that are
there already are recognised, so a letter may be replayed as often as anybody likes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from typing import NamedTuple

from accounts.models import User
from plants.models import Plant, Sensor
from plants.scales import microseconds
from telemetry.ingest.decode import decode
from telemetry.ingest.judge import reading_of
from telemetry.ingest.ledger import Kind
from telemetry.ingest.resolve import Directory, known_sensors
from telemetry.ingest.store import Store
from telemetry.ingest.validate import Window, window
from telemetry.models import DeadLetter
from telemetry.readings import Message, Reading, Reason, Rejected

MAX_REPLAYED = 1000  # letters in one request: some seconds
TRUNCATED = "Only the beginning of the payload was kept: send the message again, or discard the letter."
DECIDED = "It was {state} before; nothing was done."


class Outcome(NamedTuple):
    """What became of a letter's message. `state` is the letter's now: new where something is still refused."""

    letter: DeadLetter
    state: str
    stored: int
    duplicate: int
    conflict: int
    rejected: list[Rejected]
    detail: str  # why nothing was tried; else empty

    @property
    def why(self) -> str:
        """Why it stays new, in words: what is refused first."""
        return self.detail or self.rejected[0].detail


class Summary(NamedTuple):
    """What became of many letters."""

    replayed: int  # letters that are done
    stored: int  # readings; the next two too
    duplicate: int
    conflict: int
    kept: list[Outcome]  # of the letters that stay new


def summary(outcomes: list[Outcome]) -> Summary:
    return Summary(
        sum(each.state == DeadLetter.State.REPLAYED for each in outcomes),
        sum(each.stored for each in outcomes),
        sum(each.duplicate for each in outcomes),
        sum(each.conflict for each in outcomes),
        [each for each in outcomes if each.state == DeadLetter.State.NEW],
    )


def replay(letters: Iterable[DeadLetter], by: User | None, moment: datetime, retention_days: int) -> Iterator[Outcome]:
    """Replays each letter, into sensors that exist for this user; for the worker, None, all do.

    Raises:
        psycopg.Error: the database failed; what was yielded is stored.
    """
    sensors = Sensor.objects.visible_to(by) if by else Sensor.objects.all()
    plants = Plant.objects.visible_to(by) if by else Plant.objects.all()
    directory = Directory(known_sensors(sensors), dict(plants.order_by().values_list("slug", "pk")))
    accepted = window(microseconds(moment), retention_days)
    with closing(Store(kind=Kind.REPLAY)) as store:
        for letter in letters:
            yield _replay(letter, by, moment, directory, accepted, store)


def _replay(
    letter: DeadLetter, by: User | None, moment: datetime, directory: Directory, accepted: Window, store: Store
) -> Outcome:
    if letter.state != DeadLetter.State.NEW:
        return Outcome(letter, letter.state, 0, 0, 0, [], DECIDED.format(state=letter.state))
    if letter.is_truncated:
        return Outcome(letter, letter.state, 0, 0, 0, [], TRUNCATED)
    readings, rejected = _readings(letter, directory, accepted)
    receipt = (letter.source, len(readings) + len(rejected), len(readings), len(rejected))
    result = store.write(readings, receipts=[receipt], reasons=Counter(each.reason for each in rejected))
    rejected += result.refused.values()
    is_done = not _is_missing_something(letter, {each.reason for each in rejected})
    if is_done and not letter.replayed(by, moment):
        letter.refresh_from_db(fields=("state",))  # somebody decided it meanwhile
    return Outcome(letter, letter.state, result.stored, result.duplicate, result.conflict, rejected, "")


def _readings(letter: DeadLetter, directory: Directory, accepted: Window) -> tuple[list[Reading], list[Rejected]]:
    """As ingest's pipeline does."""
    message = Message(letter.topic, bytes(letter.payload), microseconds(letter.received_at), None)
    samples, rejected = decode(message)
    readings = []
    for sample in samples:
        result = reading_of(sample, directory, accepted)
        if isinstance(result, Rejected):
            rejected.append(result)
        else:
            readings.append(result)
    return readings, rejected


def _is_missing_something(letter: DeadLetter, reasons: set[Reason]) -> bool:
    """Whether a reason is left for which the message has no other letter: then this one must stay."""
    others = DeadLetter.objects.new().filter(digest=letter.digest, received_at=letter.received_at).exclude(pk=letter.pk)
    return bool({str(reason) for reason in reasons} - set(others.values_list("reason", flat=True)))
