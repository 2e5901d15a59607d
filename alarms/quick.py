"""A quick look at a batch: which sensors need a look at each of their readings. Pure, with numpy.

It may name one too many, and never one too few: what it does not name is plainly normal before and after the batch.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alarms.conditions import Kind, Limits
from plants.scales import SECOND_US, UNCERTAIN

MINUTE_US = 60 * SECOND_US

Places = NDArray[np.intp]


class Rows(NamedTuple):
    """n new readings that are not late, in the order in which they came, by column; each of shape (n,)."""

    sensor: NDArray[np.int32]
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]

    def take(self, chosen: NDArray[np.bool_]) -> "Rows":
        return Rows(self.sensor[chosen], self.time_us[chosen], self.value[chosen], self.quality[chosen])


class Before(NamedTuple):
    """What was the latest reading of the n sensors that have a newer one now, in their order; each of shape (n,).

    Of a sensor that had none `value` is NaN.
    """

    sensor: NDArray[np.int32]
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]


class Watched(NamedTuple):
    """A rule's limits at a sensor, and the sensor from which a deviation is measured."""

    sensor: int
    limits: Limits
    reference: int | None


class QuickLook:
    """Bounds of all rules that wait for readings, by the place of their sensor in `sensors`, which is in order."""

    def __init__(self, watched: Iterable[Watched]) -> None:
        checks = list(watched)
        references = {check.reference for check in checks if check.reference is not None}
        numbers = sorted({check.sensor for check in checks} | references)
        self.sensors: NDArray[np.int32] = np.array(numbers, np.int32)
        place = {number: at for at, number in enumerate(numbers)}
        self._upper = np.full(len(numbers), math.inf)
        self._lower = np.full(len(numbers), -math.inf)
        # Those that need the reading before, or another's: what was good before a bad one must be kept for them.
        self._with_memory = np.zeros(len(numbers), np.bool_)
        for number in references:
            self._with_memory[place[number]] = True
        found: dict[Kind, list[tuple[int, float, int]]] = {kind: [] for kind in Kind}
        for sensor, limits, reference in checks:
            at, kind = place[sensor], limits.kind
            if kind in (Kind.HIGH_HIGH, Kind.HIGH):
                self._upper[at] = min(self._upper[at], limits.setpoint)
            elif kind in (Kind.LOW_LOW, Kind.LOW):
                self._lower[at] = max(self._lower[at], limits.setpoint)
            else:
                self._with_memory[at] |= kind is not Kind.STATE
                bound = limits.deadband if kind is Kind.STUCK else limits.setpoint
                found[kind].append((at, bound, at if reference is None else place[reference]))
        self.with_memory = frozenset(self.sensors[self._with_memory].tolist())
        self._state = _columns(found[Kind.STATE])
        self._rate = _columns(found[Kind.RATE])
        self._stuck = _columns(found[Kind.STUCK])
        self._deviation = _columns(found[Kind.DEVIATION])

    def watched(self, rows: Rows) -> Rows:
        """The rows of sensors about which there is any rule."""
        if not len(self.sensors):
            return rows.take(np.zeros(len(rows.sensor), np.bool_))
        place = np.searchsorted(self.sensors, rows.sensor).clip(max=len(self.sensors) - 1)
        return rows.take(self.sensors[place] == rows.sensor)

    def hot(self, rows: Rows, before: Before) -> list[int]:
        """The sensors of watched rows that need a look."""
        place = np.searchsorted(self.sensors, rows.sensor)
        order = np.argsort(place, kind="stable")  # by sensor, in each by order of receipt
        value = rows.value[order]
        present, first = np.unique(place[order], return_index=True)
        highest, lowest = np.full(len(self.sensors), math.nan), np.full(len(self.sensors), math.nan)
        highest[present], lowest[present] = np.maximum.reduceat(value, first), np.minimum.reduceat(value, first)
        is_hot = (highest > self._upper) | (lowest < self._lower)  # NaN, of those that are not here, is neither
        at, setpoint, _ = self._state
        is_hot[at[(lowest[at] <= setpoint) & (setpoint <= highest[at])]] = True
        if self._with_memory[present].any():
            is_hot |= self._hot_with_memory(
                _Sorted(present, first, rows.time_us[order], value, rows.quality[order]), before, highest, lowest
            )
        return self.sensors[is_hot].tolist()

    def _hot_with_memory(
        self, rows: "_Sorted", before: Before, highest: NDArray[np.float64], lowest: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        present, first = rows.present, rows.first
        was = np.searchsorted(before.sensor, self.sensors[present]).clip(max=max(0, len(before.sensor) - 1))
        is_known = before.sensor[was] == self.sensors[present] if len(before.sensor) else np.zeros(len(present), bool)
        is_good = is_known & (before.quality[was] >= UNCERTAIN) if len(before.sensor) else is_known
        is_hot = np.zeros(len(self.sensors), np.bool_)
        worst = np.minimum.reduceat(rows.quality, first)
        is_hot[present] = self._with_memory[present] & ~(is_good & (worst >= UNCERTAIN))
        if not len(before.sensor):
            return is_hot
        highest, lowest = highest.copy(), lowest.copy()
        highest[present] = np.fmax(highest[present], before.value[was])
        lowest[present] = np.fmin(lowest[present], before.value[was])
        # Each reading with the one before it.
        previous_us, previous = np.roll(rows.time_us, 1), np.roll(rows.value, 1)
        previous_us[first], previous[first] = before.time_us[was], before.value[was]
        moved = np.abs(rows.value - previous)
        took_us = rows.time_us - previous_us
        rate = np.divide(moved * MINUTE_US, took_us, out=np.full(len(moved), math.inf), where=took_us > 0)
        fastest, least = np.full(len(self.sensors), math.nan), np.full(len(self.sensors), math.nan)
        fastest[present], least[present] = np.maximum.reduceat(rate, first), np.minimum.reduceat(moved, first)
        at, setpoint, _ = self._rate
        is_hot[at[fastest[at] > setpoint]] = True
        at, deadband, _ = self._stuck
        is_hot[at[least[at] <= deadband]] = True
        at, setpoint, other = self._deviation
        furthest = np.maximum(highest[at] - lowest[other], highest[other] - lowest[at])
        is_here = ~np.isnan(highest[at])
        is_hot[at[is_here & ~(furthest <= setpoint)]] = True  # also where nothing of the other is here
        return is_hot


class _Sorted(NamedTuple):
    """Readings by sensor: those of place `present[i]` begin at `first[i]`."""

    present: Places
    first: Places
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]


def _columns(found: Sequence[tuple[int, float, int]]) -> tuple[Places, NDArray[np.float64], Places]:
    """Places, bounds, and places of references."""
    at, bounds, others = zip(*found, strict=True) if found else ((), (), ())
    return np.array(at, np.intp), np.array(bounds, np.float64), np.array(others, np.intp)
