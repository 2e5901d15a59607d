"""Whether a rule's condition holds at one sensor, reading after reading. Pure, in the time of the readings.

A comparison with a deadband says whether the value is abnormal (hysteresis: once it is, it stays so until it has come
back by the deadband). Then an on-delay and an off-delay (the timers TON and TOF of IEC 61131-3) say when that counts:

    NORMAL ── abnormal ──▶ RISING ── on-delay over ──▶ ACTIVE ── normal ──▶ FALLING ── off-delay over ──▶ NORMAL
       ▲                     │                            ▲                    │
       └────── normal ───────┘                            └───── abnormal ─────┘

Between two readings the first one holds. A delay is over at its beginning plus its length, whether a reading comes
at that moment or not; so it does not matter who finds that first, the next reading or a clock.
"""

import math
from enum import IntEnum, StrEnum
from typing import NamedTuple

from plants.scales import SECOND_US


class Phase(IntEnum):
    NORMAL = 0
    RISING = 1
    ACTIVE = 2
    FALLING = 3


class Kind(StrEnum):
    """The values of Rule.Kind."""

    HIGH_HIGH = "high_high"
    HIGH = "high"
    LOW = "low"
    LOW_LOW = "low_low"
    RATE = "rate"
    DEVIATION = "deviation"
    STUCK = "stuck"
    STATE = "state"
    NO_DATA = "no_data"


class Limits(NamedTuple):
    """What of a rule decides; delays in µs. `setpoint` of a stuck value counts as its on-delay, see `limits`."""

    kind: Kind
    setpoint: float
    deadband: float
    on_delay_us: int
    off_delay_us: int


class Standing(NamedTuple):
    """Where a rule stands at a sensor, since when in µs; for a stuck value, from which value it has not moved."""

    phase: Phase
    since_us: int
    anchor: float = math.nan


class Good(NamedTuple):
    """A reading that was not bad."""

    time_us: int
    value: float


class Change(NamedTuple):
    """The condition began to count (`is_active`), or ceased to."""

    is_active: bool
    time_us: int
    value: float


NORMAL = Standing(Phase.NORMAL, 0)
HELD = frozenset({Phase.RISING, Phase.ACTIVE})  # in which the value was abnormal last, so that the deadband counts


def limits(kind: str, setpoint: float | None, deadband: float, on_delay_s: float, off_delay_s: float) -> Limits:
    """From a rule's fields. A value that must be stuck for some seconds is one that is abnormal for so long."""
    if kind == Kind.STUCK:
        assert setpoint is not None
        on_delay_s, setpoint = on_delay_s + setpoint, 0.0
    return Limits(Kind(kind), setpoint or 0.0, deadband, round(on_delay_s * SECOND_US), round(off_delay_s * SECOND_US))


def is_beyond(limits: Limits, measure: float, is_held: bool) -> bool:
    """Whether a measure is abnormal; `is_held` where it was before, so that the deadband counts."""
    _, setpoint, deadband, _, _ = limits
    match limits.kind:
        case Kind.HIGH_HIGH | Kind.HIGH | Kind.RATE | Kind.DEVIATION:
            return measure > setpoint - deadband if is_held else measure > setpoint
        case Kind.LOW_LOW | Kind.LOW:
            return measure < setpoint + deadband if is_held else measure < setpoint
        case Kind.STATE:
            return measure == setpoint
        case Kind.NO_DATA:
            return measure > 0
    raise AssertionError(limits.kind)


def rate_a_minute(before: Good, time_us: int, value: float) -> float:
    """How fast the value moved since the reading before, in units a minute, up or down."""
    return abs(value - before.value) / (time_us - before.time_us) * 60 * SECOND_US


def advance(limits: Limits, standing: Standing, time_us: int, value: float) -> tuple[Standing, Change | None]:
    """What the clock alone brings up to this time, while the value stays as it is."""
    phase, since_us, anchor = standing
    if phase is Phase.RISING and since_us + limits.on_delay_us <= time_us:
        at = since_us + limits.on_delay_us
        return Standing(Phase.ACTIVE, at, anchor), Change(True, at, value)
    if phase is Phase.FALLING and since_us + limits.off_delay_us <= time_us:
        at = since_us + limits.off_delay_us
        return NORMAL, Change(False, at, value)
    return standing, None


def turn(
    limits: Limits, standing: Standing, is_abnormal: bool, time_us: int, value: float
) -> tuple[Standing, Change | None]:
    """What a reading brings, after `advance` to its time: the value is abnormal from now on, or normal."""
    phase, _, anchor = standing
    if is_abnormal:
        if phase is Phase.NORMAL:
            if limits.on_delay_us > 0:
                return Standing(Phase.RISING, time_us, anchor), None
            return Standing(Phase.ACTIVE, time_us, anchor), Change(True, time_us, value)
        if phase is Phase.FALLING:
            return Standing(Phase.ACTIVE, time_us, anchor), None
        return standing, None
    if phase is Phase.RISING:
        return NORMAL, None
    if phase is Phase.ACTIVE:
        if limits.off_delay_us > 0:
            return Standing(Phase.FALLING, time_us, anchor), None
        return NORMAL, Change(False, time_us, value)
    return standing, None


def due_in_us(limits: Limits, standing: Standing, time_us: int) -> int | None:
    """How long after this time a running delay is over; None where none runs."""
    if standing.phase is Phase.RISING:
        return max(0, standing.since_us + limits.on_delay_us - time_us)
    if standing.phase is Phase.FALLING:
        return max(0, standing.since_us + limits.off_delay_us - time_us)
    return None


def step(
    limits: Limits,
    standing: Standing,
    time_us: int,
    value: float,
    before: Good | None,
    reference: float | None = None,
    is_scheduled: bool = True,
) -> tuple[Standing, list[Change]]:
    """What one reading brings that is neither late nor bad.

    Args:
        before: the last such reading of the sensor before this one.
        reference: the value from which a deviation is measured; None where it is not known: then nothing changes but
            by the clock.
        is_scheduled: whether the rule watches at this time; out of its hours nothing is abnormal.
    """
    changes = []
    standing, change = advance(limits, standing, time_us, value if before is None else before.value)
    if change is not None:
        changes.append(change)
    is_abnormal: bool | None = False
    if is_scheduled:
        standing, is_abnormal = _compare(limits, standing, time_us, value, before, reference)
    if is_abnormal is not None:
        standing, change = turn(limits, standing, is_abnormal, time_us, value)
        if change is not None:
            changes.append(change)
    if limits.kind is Kind.STUCK:  # the one that may have begun before this reading
        standing, change = advance(limits, standing, time_us, value)
        if change is not None:
            changes.append(change)
    return standing, changes


def _compare(
    limits: Limits, standing: Standing, time_us: int, value: float, before: Good | None, reference: float | None
) -> tuple[Standing, bool | None]:
    """Whether the value is abnormal, None where that cannot be told."""
    is_held = standing.phase in HELD
    match limits.kind:
        case Kind.RATE:
            if before is None or before.time_us >= time_us:
                return standing, None
            measure = rate_a_minute(before, time_us, value)
        case Kind.DEVIATION:
            if reference is None:
                return standing, None
            measure = abs(value - reference)
        case Kind.STUCK:
            return _compare_stuck(limits, standing, time_us, value, before)
        case _:
            measure = value
    return standing, is_beyond(limits, measure, is_held)


def _compare_stuck(
    limits: Limits, standing: Standing, time_us: int, value: float, before: Good | None
) -> tuple[Standing, bool | None]:
    """A value is stuck from the reading on from which it has not moved by more than the deadband.

    That takes a second reading, which is the earliest moment that counts: what happened before has been said by then.
    """
    if standing.phase in HELD:
        return standing, abs(value - standing.anchor) <= limits.deadband
    if before is None or abs(value - before.value) > limits.deadband:
        return standing, False
    if standing.phase is Phase.FALLING:
        return standing._replace(anchor=before.value), True
    since_us = max(before.time_us, time_us - limits.on_delay_us)
    return Standing(Phase.RISING, since_us, before.value), True


def follow(
    limits: Limits,
    standing: Standing,
    time_us: int,
    value: float,
    before: Good | None,
    reference: float | None = None,
    is_scheduled: bool = True,
) -> tuple[Standing, list[Change | Good]]:
    """As `step`; among the changes also the reading itself where it is further beyond the limit than all before it."""
    standing, changes = step(limits, standing, time_us, value, before, reference, is_scheduled)
    found: list[Change | Good] = []
    for change in changes:
        found.append(change)
        standing = anchored(limits, standing, change)
    if standing.phase is Phase.ACTIVE and is_further(limits, value, standing.anchor):
        standing = standing._replace(anchor=value)
        found.append(Good(time_us, value))
    return standing, found


def anchored(limits: Limits, standing: Standing, change: Change) -> Standing:
    """The standing after a change: the value that raised an alarm is the furthest so far."""
    return standing._replace(anchor=change.value) if change.is_active and limits.kind is not Kind.STUCK else standing


def is_further(limits: Limits, value: float, peak: float) -> bool:
    """Whether a value lies further beyond the limit than the furthest so far."""
    if limits.kind in (Kind.HIGH_HIGH, Kind.HIGH):
        return value > peak
    return limits.kind in (Kind.LOW_LOW, Kind.LOW) and value < peak
