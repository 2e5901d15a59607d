"""How much a value varies from one reading to the next while it is at the limit. Pure.

Only readings around a crossing of the limit count: noise elsewhere, in another state of the machine, says nothing. Of
their differences the median is taken (of normal noise it is 0.954 standard deviations: 0.6745 × √2), which neither the
process's own slow way nor a few jumps move.
"""

from collections import deque
from statistics import median

from alarms.conditions import Good, Kind, Limits, rate_a_minute

AROUND_A_CROSSING = 30  # readings before it, and after it
KEPT = 20_000  # differences; further ones say no more
MEDIAN_OF_DIFFERENCES = 0.9539  # in standard deviations
FEWEST = 10  # differences from which something can be said
SAMPLE = 2_000  # values from all of the range, of which the median is what is usual


class Noise:
    """Of what the rule compares with its setpoint: the value, its rate, or its distance from another."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._near: list[float] = []
        self._recent: deque[float] = deque(maxlen=AROUND_A_CROSSING)
        self._last: float | None = None
        self._left = 0  # readings that still count after a crossing
        self._sample: list[float] = []
        self._stride = self._until_next = 1

    def add(self, time_us: int, value: float, before: Good | None, reference: float | None) -> None:
        measure = self._measure(time_us, value, before, reference)
        last, self._last = self._last, measure
        if measure is None:
            return
        self._until_next -= 1
        if not self._until_next:
            self._keep(measure)
        if last is None or len(self._near) >= KEPT:
            return
        difference, setpoint = abs(measure - last), self._limits.setpoint
        if (measure > setpoint) != (last > setpoint):
            self._near += [*self._recent, difference]
            self._recent.clear()
            self._left = AROUND_A_CROSSING
        elif self._left:
            self._near.append(difference)
            self._left -= 1
        else:
            self._recent.append(difference)

    def sigma(self) -> float | None:
        """The standard deviation; None where the limit was hardly ever crossed."""
        return median(self._near) / MEDIAN_OF_DIFFERENCES if len(self._near) >= FEWEST else None

    def usual(self) -> float | None:
        """The median of all; None without any."""
        return median(self._sample) if self._sample else None

    def _keep(self, measure: float) -> None:
        """One of so many, evenly over the range: when there are too many, every second one goes."""
        self._sample.append(measure)
        if len(self._sample) >= SAMPLE:
            self._sample = self._sample[::2]
            self._stride *= 2
        self._until_next = self._stride

    def _measure(self, time_us: int, value: float, before: Good | None, reference: float | None) -> float | None:
        match self._limits.kind:
            case Kind.RATE:
                return None if before is None else rate_a_minute(before, time_us, value)
            case Kind.DEVIATION:
                return None if reference is None else abs(value - reference)
        return value
