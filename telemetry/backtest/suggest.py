"""What makes a rule calmer: a deadband wider than the noise, and the shortest delays that end the chattering. Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from alarms.conditions import Kind, Limits
from plants.scales import SECOND_US
from telemetry.backtest.figures import CHATTERING_TIMES, CHATTERING_WITHIN_US, Episode
from telemetry.backtest.noise import Noise

WITH_DEADBAND = frozenset({Kind.HIGH_HIGH, Kind.HIGH, Kind.LOW, Kind.LOW_LOW, Kind.RATE, Kind.DEVIATION})
WITH_DELAYS = WITH_DEADBAND | {Kind.STATE}  # of the others the setpoint is a time already
NOISE_SIGMAS = 6  # from one end of normal noise to the other: 99.7 % of it
DELAYS_S = (0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300)
KEEP_S = 60  # what is abnormal for longer must be raised whatever the delays; somebody can act on that
TRIED_EPISODES = 20_000  # of a sensor; the rest is not another kind of noise

BELOW = frozenset({Kind.LOW, Kind.LOW_LOW})


class Deadband(NamedTuple):
    """None: nothing better than the rule's own is known."""

    value: float | None
    why: str


class Delays(NamedTuple):
    on_s: float
    off_s: float
    why: str


def deadband(limits: Limits, noises: Iterable[Noise], unit: str) -> Deadband:
    """The widest that the noise at one of the sensors asks for, where none of them would stay in alarm for ever."""
    if limits.kind not in WITH_DEADBAND:
        return Deadband(None, "A deadband has no place in this kind of rule, or is its tolerance.")
    known = [(noise.sigma(), noise.usual()) for noise in noises]
    usual = [each for _, each in known if each is not None]
    sigmas = [sigma for sigma, _ in known if sigma is not None]
    if not sigmas:
        return Deadband(None, "The value hardly ever crossed the limit: its noise there is not known.")
    room = min((limits.setpoint - each) * (-1 if limits.kind in BELOW else 1) for each in usual)
    if room <= 0:
        return Deadband(None, "The value is beyond the limit half of the time: look at the setpoint first.")
    wanted = rounded_up(NOISE_SIGMAS * max(sigmas))
    noise = f"at the limit the value varies by ±{_number(3 * max(sigmas))}{unit} from reading to reading"
    if wanted <= limits.deadband:
        return Deadband(None, f"The deadband is wide enough: {noise}.")
    if wanted > room / 2:
        return Deadband(None, f"No deadband fits: {noise}, which is much of the way back to its usual value.")
    return Deadband(wanted, f"A deadband of {_number(wanted)}{unit} is as wide as the noise: {noise}.")


def delays(limits: Limits, sensors: Sequence[Sequence[Episode]], end_us: int) -> Delays:
    """The shortest that leave no chattering, of those that are not shorter than the rule's own.

    Args:
        sensors: what was abnormal at each sensor, with the deadband that will be and without any delay.
    """
    on_s, off_s = limits.on_delay_us / SECOND_US, limits.off_delay_us / SECOND_US
    spells = [[(each.start_us, each.start_us + each.lasts_us(end_us)) for each in episodes] for episodes in sensors]
    pairs = [
        (on, off)
        for on in sorted({on_s, *(each for each in DELAYS_S if on_s < each <= KEEP_S)})
        for off in sorted({off_s, *(each for each in DELAYS_S if each > off_s)})
    ]
    for on, off in sorted(pairs, key=lambda pair: (sum(pair), pair)):
        if not any(chatters(raised(each[:TRIED_EPISODES], on, off)) for each in spells):
            if (on, off) == (on_s, off_s):
                return Delays(on, off, "With this deadband nothing chatters: the delays may stay as they are.")
            why = (
                f"An on-delay of {on:g} s and an off-delay of {off:g} s are the shortest without chattering; "
                f"what lasts longer than {max(on, KEEP_S):g} s is still raised."
            )
            return Delays(on, off, why)
    raise AssertionError("An off-delay of 60 s lets nothing be raised three times in a minute.")


def raised(spells: Sequence[tuple[int, int]], on_s: float, off_s: float) -> list[int]:
    """When alarms are raised out of abnormal spells, with these delays."""
    on_us, off_us = round(on_s * SECOND_US), round(off_s * SECOND_US)
    found: list[int] = []
    cleared_us = 0
    is_raised = False
    for start_us, end_us in spells:
        if is_raised and cleared_us <= start_us:
            is_raised = False
        if not is_raised and end_us - start_us >= on_us:
            is_raised = True
            found.append(start_us + on_us)
        cleared_us = end_us + off_us
    return found


def chatters(times_us: Sequence[int]) -> bool:
    pairs = zip(times_us, times_us[CHATTERING_TIMES - 1 :], strict=False)
    return any(later - earlier <= CHATTERING_WITHIN_US for earlier, later in pairs)


def rounded_up(value: float) -> float:
    """To two digits."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.6g}")


def _number(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"
