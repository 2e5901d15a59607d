"""One check over readings in the order of their time: what ingest and the watch would have raised and cleared. Pure."""

import math
from collections.abc import Iterable

from alarms.conditions import NORMAL, Good, Kind, Phase, advance, anchored, follow, turn
from alarms.rule_set import Check
from alarms.watch.silence import look
from plants.scales import SECOND_US, UNCERTAIN
from telemetry.backtest.figures import Tally
from telemetry.backtest.history import Past
from telemetry.backtest.hours import edges
from telemetry.backtest.noise import Noise

UPPER = frozenset({Kind.HIGH_HIGH, Kind.HIGH})
LOWER = frozenset({Kind.LOW_LOW, Kind.LOW})


class Run:
    """Begins with nothing abnormal and no reading known; `noise` learns how much the value varies at the limit."""

    def __init__(self, check: Check, noise: Noise | None = None) -> None:
        self.check = check
        self.tally = Tally(check.limits)
        self.readings = self.bad = 0
        self.first_us: int | None = None  # from when on there is something to watch
        self._noise = noise
        self._standing = NORMAL
        self._before: Good | None = None
        self._other: Good | None = None
        self._upper = check.limits.setpoint if check.limits.kind in UPPER else math.inf
        self._lower = check.limits.setpoint if check.limits.kind in LOWER else -math.inf
        self._is_simple = check.limits.kind in UPPER | LOWER

    def take(self, readings: Iterable[Past]) -> None:
        for reading in readings:
            self.at(reading)

    def at(self, reading: Past) -> None:
        time_us, is_other, value, quality = reading
        if is_other:
            if quality >= UNCERTAIN:
                self._other = Good(time_us, value)
            return
        self.readings += 1
        if self.first_us is None:
            self.first_us = time_us
        if quality < UNCERTAIN:
            self.bad += 1
            return
        before, self._before = self._before, Good(time_us, value)
        is_quiet = self._is_simple and self._standing.phase is Phase.NORMAL and self._lower <= value <= self._upper
        reference = None if is_quiet else self._reference(time_us)
        if self._noise is not None:
            self._noise.add(time_us, value, before, reference)
        if is_quiet:
            return
        limits = self.check.limits
        if before is not None:
            self._pass_hours(before, time_us)
        is_scheduled = self.check.is_scheduled(time_us)
        self._standing, changes = follow(limits, self._standing, time_us, value, before, reference, is_scheduled)
        for change in changes:
            self.tally.add(change)

    def finish(self, end_us: int) -> None:
        """The clock's part: delays that are over by then."""
        if self._before is not None:
            self._pass_hours(self._before, end_us)
            self._advance(end_us, self._before.value)
        self.tally.finish(end_us)

    def _reference(self, time_us: int) -> float | None:
        reference, other = self.check.reference, self._other
        if reference is None or other is None or time_us - other.time_us > reference.stale_us:
            return None
        return other.value

    def _pass_hours(self, before: Good, until_us: int) -> None:
        """The rule's hours may end between two readings: nothing is abnormal from then on."""
        if not self.check.schedule or self._standing.phase is Phase.NORMAL:
            return
        for edge_us in edges(self.check.schedule, self.check.tz, before.time_us, until_us):
            if not self.check.is_scheduled(edge_us):
                self._advance(edge_us, before.value)
                self._standing, change = turn(self.check.limits, self._standing, False, edge_us, before.value)
                if change is not None:
                    self.tally.add(change)

    def _advance(self, time_us: int, value: float) -> None:
        self._standing, change = advance(self.check.limits, self._standing, time_us, value)
        if change is not None:
            self._standing = anchored(self.check.limits, self._standing, change)
            self.tally.add(change)


class SilenceRun:
    """The same for a rule of kind no data: any reading is a sign of life, at its own time."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.tally = Tally(check.limits)
        self.readings = self.bad = 0
        self._standing = NORMAL
        self.first_us = self._heard_us = round(check.since * SECOND_US)

    def take(self, readings: Iterable[Past]) -> None:
        for reading in readings:
            self.readings += 1
            self.bad += reading.quality < UNCERTAIN
            self._wait(reading.time_us)
            self._heard_us = reading.time_us
            self._look(reading.time_us)

    def finish(self, end_us: int) -> None:
        self._wait(end_us)
        self.tally.finish(end_us)

    def _wait(self, until_us: int) -> None:
        """Looks whenever something may change before the next reading."""
        silent_us = self._heard_us + round(self.check.silent_after_s * SECOND_US)
        limits = self.check.limits
        times = {silent_us, silent_us + limits.on_delay_us, *self._edges(until_us)}
        if self._standing.phase is Phase.FALLING:
            times.add(self._standing.since_us + limits.off_delay_us)
        for time_us in sorted(times):
            if self._heard_us < time_us <= until_us:
                self._look(time_us)
                self._look(time_us)  # a delay that began in the past may be over

    def _edges(self, until_us: int) -> Iterable[int]:
        return edges(self.check.schedule, self.check.tz, self._heard_us, until_us)

    def _look(self, time_us: int) -> None:
        self._standing, changes = look(self.check, self._standing, self._heard_us, time_us)
        for change in changes:
            self.tally.add(change)


def run_of(check: Check, noise: Noise | None = None) -> Run | SilenceRun:
    return SilenceRun(check) if check.limits.kind is Kind.NO_DATA else Run(check, noise)
