"""What a rule would have raised at its sensors, what would make it calmer, and what that would have raised."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from alarms.conditions import limits
from alarms.models import Rule
from alarms.rule_set import Check
from plants.models import Sensor
from plants.scales import instant, microseconds
from telemetry.backtest import history, suggest
from telemetry.backtest.checks import check_of, sensors_of
from telemetry.backtest.figures import Episode
from telemetry.backtest.noise import Noise
from telemetry.backtest.run import Run, SilenceRun, run_of
from telemetry.formats import THIN


@dataclass(frozen=True, slots=True)
class Figures:
    """`watched_us`: for how long there was something to watch, from the first reading of the range on."""

    alarms: int
    chattering: int
    active_us: int
    watched_us: int

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.alarms + other.alarms,
            self.chattering + other.chattering,
            self.active_us + other.active_us,
            self.watched_us + other.watched_us,
        )

    @property
    def active(self) -> timedelta:
        return timedelta(microseconds=self.active_us)

    @property
    def percent(self) -> float:
        """Of the time that was watched."""
        return 100 * self.active_us / self.watched_us if self.watched_us else 0.0


NOTHING = Figures(0, 0, 0, 0)


class Result(NamedTuple):
    """Of one sensor. `raw_from`: when its raw readings begin, as far as they are kept; None without any."""

    sensor: Sensor
    figures: Figures
    readings: int
    bad: int
    raw_from: datetime | None
    episodes: list[Episode]
    are_all_listed: bool


class Advice(NamedTuple):
    """Each value with the sentence why; `after` is what the rule with all of them would have raised."""

    deadband: float
    on_delay_s: float
    off_delay_s: float
    reasons: list[str]
    after: Figures | None  # None: nothing would change


@dataclass(frozen=True)
class Report:
    rule: Rule
    start: datetime
    end: datetime
    results: list[Result]
    advice: Advice

    @property
    def figures(self) -> Figures:
        return sum((result.figures for result in self.results), NOTHING)

    @property
    def days(self) -> float:
        return (self.end - self.start) / timedelta(days=1)

    def a_day(self, figures: Figures) -> float:
        return figures.alarms / self.days

    @property
    def alarms_a_day(self) -> float:
        return self.a_day(self.figures)

    @property
    def bad(self) -> int:
        return sum(result.bad for result in self.results)

    @property
    def readings(self) -> int:
        return sum(result.readings for result in self.results)


def size(rule: Rule, start: datetime, end: datetime) -> int:
    """About how many readings a backtest of this rule looks at, once."""
    numbers = [sensor.number for sensor in sensors_of(rule)]
    if rule.reference is not None:
        numbers.append(rule.reference.number)
    return history.count(numbers, start, end)


def backtest(rule: Rule, start: datetime, end: datetime, progress: history.Progress = lambda readings: None) -> Report:
    """The rule, which `clean` has accepted, on what is stored of start <= time < end; its sensors one after another.

    The clock is at `end` when the readings are over.
    """
    return _Backtest(rule, start, end, progress).report()


class _Backtest:
    def __init__(self, rule: Rule, start: datetime, end: datetime, progress: history.Progress) -> None:
        self._rule, self._start, self._end, self._progress = rule, start, end, progress
        self._sensors = sensors_of(rule)
        self._noises: list[Noise] = []

    def report(self) -> Report:
        results = [self._result(sensor) for sensor in self._sensors]
        return Report(self._rule, self._start, self._end, results, self._advise(results))

    def _result(self, sensor: Sensor) -> Result:
        check = self._check(self._rule, sensor)
        noise = Noise(check.limits)
        self._noises.append(noise)
        run = self._run(check, noise)
        raw_us = history.first_us(sensor.number)
        return Result(
            sensor=sensor,
            figures=self._figures(run),
            readings=run.readings,
            bad=run.bad,
            raw_from=None if raw_us is None else instant(raw_us),
            episodes=run.tally.episodes,
            are_all_listed=run.tally.are_all_listed,
        )

    def _check(self, rule: Rule, sensor: Sensor) -> Check:
        return check_of(rule, sensor, microseconds(self._start))

    def _run(self, check: Check, noise: Noise | None = None) -> Run | SilenceRun:
        run = run_of(check, noise)
        other = None if check.reference is None else check.reference.sensor
        run.take(history.past(check.key.sensor, other, self._start, self._end, self._progress))
        run.finish(microseconds(self._end))
        return run

    def _figures(self, run: Run | SilenceRun) -> Figures:
        end_us, first_us, tally = microseconds(self._end), run.first_us, run.tally
        return Figures(tally.alarms, tally.chattering, tally.active_us, 0 if first_us is None else end_us - first_us)

    def _advise(self, results: Sequence[Result]) -> Advice:
        """More passes over the readings, where there is something to make calmer."""
        rule = self._rule
        asked = limits(rule.kind, rule.setpoint, rule.deadband, rule.on_delay_s, rule.off_delay_s)
        if asked.kind not in suggest.WITH_DELAYS:
            return self._as_it_is("The setpoint of this kind of rule is a time, which calms it like a delay.")
        if not any(result.figures.chattering for result in results):
            return self._as_it_is("Nothing chatters: the deadband and the delays may stay as they are.")
        units = {result.sensor.unit for result in results}
        unit = f"{THIN}{units.pop()}" if len(units) == 1 and units != {""} else ""
        deadband = suggest.deadband(asked, self._noises, unit)
        better = copy(rule)
        if deadband.value is not None:
            better.deadband = deadband.value
        plain = copy(better)
        plain.on_delay_s = plain.off_delay_s = 0
        spells = [self._run(self._check(plain, result.sensor)).tally.episodes for result in results]
        delays = suggest.delays(asked, spells, microseconds(self._end))
        better.on_delay_s, better.off_delay_s = delays.on_s, delays.off_s
        after = [self._figures(self._run(self._check(better, result.sensor))) for result in results]
        reasons = [deadband.why, delays.why]
        return Advice(better.deadband, better.on_delay_s, better.off_delay_s, reasons, sum(after, NOTHING))

    def _as_it_is(self, why: str) -> Advice:
        return Advice(self._rule.deadband, self._rule.on_delay_s, self._rule.off_delay_s, [why], None)
