"""What goes wrong with devices and their network: each fault takes a stream of messages and gives another.

Drift, stuck values, wrong clocks and gaps last for a while: time is cut into episodes, and in each a fault holds
for a share of the sensors or machines, chosen by their names and the seed alone. Malformed messages, duplicates and
reordering hit single messages.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from telemetry.readings import Reason
from telemetry.simulator.drafts import Draft, Measured, Publication
from telemetry.simulator.noise import fraction_of, key_of

DRIFT, STUCK, GAP, AHEAD, BEHIND = "drift", "stuck", "gap", "clock ahead", "clock behind"
MALFORMED, DUPLICATES, REORDERING = "malformed", "duplicates", "reordering"

DRIFTS_BY = 0.2  # of its value, by the end of an episode
FURTHEST = 10  # how many later messages overtake one that is held back

# What is no JSON in any form of payload, each for another cause: a decimal comma, a sensor's error, a serial line.
RUBBISH = ((b"23,4", Reason.INVALID_JSON), (b"NaN", Reason.NOT_FINITE), (b"\xff\xfe\x00", Reason.INVALID_JSON))


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares from 0 to 1: of the episodes of a sensor or machine, or of the messages."""

    drift: float = 0.0
    stuck: float = 0.0
    gap: float = 0.0
    skew: float = 0.0
    malformed: float = 0.0
    duplicates: float = 0.0
    reordering: float = 0.0
    episode_s: float = 60.0
    skew_s: float = 3600.0

    def on_drafts(self, drafts: Iterable[Draft], seed: int, start: float) -> Iterator[Draft]:
        """Drift, stuck values, gaps and wrong clocks; `start` is where the first episode begins."""
        found = iter(drafts)
        if self.drift:
            found = drift(found, Episodes(DRIFT, self.drift, seed, start, self.episode_s))
        if self.stuck:
            found = stuck(found, Episodes(STUCK, self.stuck, seed, start, self.episode_s))
        if self.skew:
            found = skew(found, Episodes("skew", self.skew, seed, start, self.episode_s), self.skew_s)
        if self.gap:
            found = gap(found, Episodes(GAP, self.gap, seed, start, self.episode_s))
        return found

    def on_publications(self, publications: Iterable[Publication], seed: int) -> Iterator[Publication]:
        """Malformed messages, duplicates and reordering."""
        found = iter(publications)
        if self.malformed:
            found = malformed(found, self.malformed, _random(MALFORMED, seed))
        if self.duplicates:
            found = duplicates(found, self.duplicates, _random(DUPLICATES, seed))
        if self.reordering:
            found = reordering(found, self.reordering, _random(REORDERING, seed))
        return found


def _random(fault: str, seed: int) -> random.Random:
    """Of its own for each fault, so that one more of them does not change the others."""
    return random.Random(key_of(fault, seed))


class Episodes:
    """When a fault holds: for all of an episode or for none of it."""

    def __init__(self, fault: str, share: float, seed: int, start: float, length_s: float) -> None:
        self._key, self._share, self._start, self._length_s = key_of(fault, seed), share, start, length_s
        self._number = -1
        self._hit: dict[str, bool] = {}  # by name, of the present episode

    def hit(self, name: str, due: float) -> bool:
        number = self.number(due)
        if number != self._number:
            self._number, self._hit = number, {}
        if name not in self._hit:
            self._hit[name] = fraction_of(self._key, name, number) < self._share
        return self._hit[name]

    def number(self, due: float) -> int:
        return int((due - self._start) // self._length_s)

    def progress(self, due: float) -> float:
        """How much of the episode is over, from 0 to 1."""
        return (due - self._start) % self._length_s / self._length_s

    def side(self, name: str, due: float) -> int:
        """1 or -1, as the fault falls out for this name in this episode."""
        return 1 if fraction_of(self._key, name, self.number(due), "side") < 0.5 else -1


def drift(drafts: Iterator[Draft], episodes: Episodes) -> Iterator[Draft]:
    """A sensor's values go away from the truth, up or down, until the episode ends. Labels of states don't."""
    for draft in drafts:
        progress = episodes.progress(draft.due)
        measured = []
        for each in draft.measured:
            address = f"{draft.machine}/{each.sensor}"
            if not isinstance(each.value, str) and episodes.hit(address, draft.due):
                off = each.value * DRIFTS_BY * progress * episodes.side(address, draft.due)
                value = each.value + (round(off) if isinstance(each.value, int) else off)
                each = each._replace(value=round(value, 3), faults=(*each.faults, DRIFT))
            measured.append(each)
        yield draft._replace(measured=tuple(measured))


def stuck(drafts: Iterator[Draft], episodes: Episodes) -> Iterator[Draft]:
    """A sensor goes on with the first value of the episode, with new times."""
    held: dict[str, tuple[int, Measured]] = {}
    for draft in drafts:
        number = episodes.number(draft.due)
        measured = []
        for each in draft.measured:
            address = f"{draft.machine}/{each.sensor}"
            if episodes.hit(address, draft.due):
                if address not in held or held[address][0] != number:
                    held[address] = number, each
                value = held[address][1].value
                each = each._replace(value=value, faults=(*each.faults, STUCK))
            measured.append(each)
        yield draft._replace(measured=tuple(measured))


def skew(drafts: Iterator[Draft], episodes: Episodes, by_s: float) -> Iterator[Draft]:
    """A machine's clock is ahead or behind. By an odd number of milliseconds, where right ones tell even ones.

    So what a wrong clock says is never the time of another reading of the sensor.
    """
    by_ms = round(by_s / 2 * 1000) * 2 + 1
    for draft in drafts:
        if episodes.hit(draft.machine, draft.due):
            side = episodes.side(draft.machine, draft.due)
            fault = AHEAD if side > 0 else BEHIND
            draft = draft._replace(
                measured=tuple(
                    each._replace(time_ms=each.time_ms + side * by_ms, faults=(*each.faults, fault))
                    for each in draft.measured
                )
            )
        yield draft


def gap(drafts: Iterator[Draft], episodes: Episodes) -> Iterator[Draft]:
    """A machine has lost its connection, and forgets what it would have sent."""
    for draft in drafts:
        if episodes.hit(draft.machine, draft.due):
            draft = draft._replace(measured=(), withheld=len(draft.measured))
        yield draft


def malformed(publications: Iterator[Publication], share: float, chance: random.Random) -> Iterator[Publication]:
    """Some messages are damaged, so that nothing can be read of them; the ledger counts each as one dead sample."""
    for each in publications:
        if each.payload is not None and chance.random() < share:
            cut = each.payload[: len(each.payload) // 2]
            rubbish = [*RUBBISH, (cut, Reason.INVALID_JSON)] if each.payload[:1] in (b"{", b"[") else RUBBISH
            payload, reason = chance.choice(rubbish)
            each = each._replace(payload=payload, reason=reason, samples=1, faults=((MALFORMED, 1),))
        yield each


def duplicates(publications: Iterator[Publication], share: float, chance: random.Random) -> Iterator[Publication]:
    """Some messages are sent twice, as devices do that heard no acknowledgement."""
    for each in publications:
        yield each
        if each.payload is not None and chance.random() < share:
            yield each._replace(is_repeated=True, faults=((DUPLICATES, 1),))


def reordering(publications: Iterator[Publication], share: float, chance: random.Random) -> Iterator[Publication]:
    """Some messages are held back until one to FURTHEST others have gone by."""
    held: list[tuple[int, Publication]] = []  # with how many more go by
    for each in publications:
        if each.payload is None:
            yield each
            continue
        if chance.random() < share:
            held.append((chance.randint(1, FURTHEST), each._replace(faults=(*each.faults, (REORDERING, 1)))))
            continue
        yield each
        held = [(left - 1, late) for left, late in held]
        yield from (late._replace(due=each.due) for left, late in held if left == 0)
        held = [(left, late) for left, late in held if left > 0]
    yield from (late for _, late in held)
