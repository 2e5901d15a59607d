"""A slow model of a rule at one sensor, from the words about it: what it should have said, given all that was received.

It knows the whole history at once and nothing of batches, phases or databases. First it leaves out what does not count
(what came again, late, or bad). What remains is a signal that holds from each reading to the next; from it come spells
in which it is abnormal, or normal, without a break. An alarm is raised in an abnormal spell that lasts at least the
on-delay (IEC 61131-3, TON), and cleared in a normal one that lasts at least the off-delay (TOF). What becomes of
alarms is the state diagram of ISA-18.2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MINUTE_US = 60_000_000
FOR_EVER = 2**62


class Told(NamedTuple):
    """A reading as it was received; `is_other`: of the sensor from which a deviation is measured."""

    time_us: int
    value: float
    is_bad: bool = False
    is_other: bool = False


@dataclass(frozen=True)
class Asked:
    """A rule. `hours` are the [from, to) in which it watches, None for always; `stale_us` is the other sensor's."""

    kind: str
    setpoint: float
    deadband: float = 0
    on_us: int = 0
    off_us: int = 0
    hours: tuple[int, int] | None = None
    stale_us: int = 0

    def watches(self, time_us: int) -> bool:
        return self.hours is None or self.hours[0] <= time_us < self.hours[1]


class Point(NamedTuple):
    """A reading that counts, and the other sensor's value when it came, if that was known and fresh."""

    time_us: int
    value: float
    other: float | None


class Spell(NamedTuple):
    """A time without a break: from `since_us`, which was known at `known_us`, until `end_us`."""

    is_abnormal: bool
    since_us: int
    known_us: int
    end_us: int
    first: Point  # the reading that made it known


class Happened(NamedTuple):
    kind: str  # raised, cleared, acknowledged
    time_us: int
    value: float


def points(rule: Asked, history: Sequence[Told]) -> list[Point]:
    """What counts: what is newer than all of its sensor before it, and not bad."""
    found: list[Point] = []
    newest = {False: -1, True: -1}
    other: Told | None = None
    for told in history:
        if told.time_us <= newest[told.is_other]:
            continue
        newest[told.is_other] = told.time_us
        if told.is_bad:
            continue
        if told.is_other:
            other = told
            continue
        is_fresh = other is not None and told.time_us - other.time_us <= rule.stale_us
        found.append(Point(told.time_us, told.value, other.value if other is not None and is_fresh else None))
    return found


def spells(rule: Asked, found: Sequence[Point], until_us: int) -> list[Spell]:
    """In order; before the first reading there is none."""
    verdicts: list[bool] = []
    starts: list[Point] = []  # of an abnormal spell, the reading from which a stuck value has not moved
    for index, point in enumerate(found):
        earlier = found[index - 1] if index else None
        was = verdicts[-1] if verdicts else False
        start = starts[-1] if starts and was else (earlier or point)
        verdicts.append(_is_abnormal(rule, point, earlier, start, was))
        starts.append(start)
    edges = [i for i in range(len(found)) if i == 0 or verdicts[i] != verdicts[i - 1]]
    ends = [*(found[i].time_us for i in edges[1:]), until_us][: len(edges)]
    return [
        Spell(
            is_abnormal=verdicts[i],
            since_us=starts[i].time_us if rule.kind == "stuck" and verdicts[i] else found[i].time_us,
            known_us=found[i].time_us,
            end_us=end_us,
            first=found[i],
        )
        for i, end_us in zip(edges, ends, strict=True)
    ]


def _is_abnormal(rule: Asked, point: Point, earlier: Point | None, start: Point, was: bool) -> bool:
    if not rule.watches(point.time_us):
        return False
    band = rule.deadband if was else 0
    if rule.kind in ("high", "high_high"):
        return point.value > rule.setpoint - band
    if rule.kind in ("low", "low_low"):
        return point.value < rule.setpoint + band
    if rule.kind == "state":
        return point.value == rule.setpoint
    if rule.kind == "rate":
        if earlier is None:
            return was
        moved = abs(point.value - earlier.value) * MINUTE_US / (point.time_us - earlier.time_us)
        return moved > rule.setpoint - band
    if rule.kind == "deviation":
        return was if point.other is None else abs(point.value - point.other) > rule.setpoint - band
    assert rule.kind == "stuck"
    return start is not point and abs(point.value - start.value) <= rule.deadband


def changes(rule: Asked, history: Sequence[Told], until_us: int = FOR_EVER) -> list[Happened]:
    """What the rule raises and clears until then, if nothing more is received."""
    found = [point for point in points(rule, history) if point.time_us <= until_us]
    happened: list[Happened] = []
    is_raised = False
    for spell in spells(rule, found, until_us):
        if spell.is_abnormal == is_raised:
            continue
        delay_us = rule.off_us if is_raised else rule.on_us
        if rule.kind == "stuck" and not is_raised:
            delay_us += round(rule.setpoint * 1_000_000)
        # Nobody can say that a value was stuck before a second reading does.
        at_us = max(spell.since_us + delay_us, spell.known_us)
        if at_us <= spell.end_us:
            is_raised = spell.is_abnormal
            value = spell.first.value if at_us == spell.known_us else _value_before(found, at_us)
            happened.append(Happened("raised" if is_raised else "cleared", at_us, value))
    return happened


def _value_before(found: Sequence[Point], time_us: int) -> float:
    return [point.value for point in found if point.time_us < time_us][-1]


@dataclass
class Episode:
    """An alarm: the state of ISA-18.2, and each time that it was raised and cleared (None: not yet)."""

    state: str
    spans: list[tuple[Happened, Happened | None]]


def episodes(happened: Iterable[Happened]) -> list[Episode]:
    """What became of the alarms, in the order of their beginning."""
    alarms: list[Episode] = []
    for what in happened:
        alarm = alarms[-1] if alarms else Episode("closed", [])
        match what.kind, alarm.state:
            case "raised", "closed":
                alarms.append(Episode("raised", [(what, None)]))
            case "raised", "cleared":
                alarm.state = "raised"
                alarm.spans.append((what, None))
            case "cleared", "raised" | "acknowledged":
                alarm.state = "cleared" if alarm.state == "raised" else "closed"
                alarm.spans[-1] = alarm.spans[-1][0], what
            case "acknowledged", "raised" | "cleared":
                alarm.state = "acknowledged" if alarm.state == "raised" else "closed"
    return alarms


def peak(rule: Asked, alarm: Episode, history: Sequence[Told]) -> float:
    """The furthest beyond the limit while it was active; of kinds without a direction the first value."""
    values = [begin.value for begin, _ in alarm.spans]
    found = points(rule, history)
    abnormal = [spell for spell in spells(rule, found, FOR_EVER) if spell.is_abnormal]
    for begin, end in alarm.spans:
        until_us = FOR_EVER if end is None else end.time_us
        values += [
            point.value
            for point in found
            if begin.time_us < point.time_us <= until_us
            and any(spell.known_us <= point.time_us < spell.end_us for spell in abnormal)
        ]
    if rule.kind in ("high", "high_high"):
        return max(values)
    return min(values) if rule.kind in ("low", "low_low") else values[0]
