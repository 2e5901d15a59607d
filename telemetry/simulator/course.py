"""When a machine runs, rests, fails or is maintained: a function of its address and the time.

Time is cut into periods. In each period there may be one interruption of a kind, at a random place but well
inside, so that everything it causes is over before the period ends: no period needs to know another.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from telemetry.simulator.noise import Floats, Integers, key_of, uniform

STOPPED, RUNNING, IDLE, FAULT, MAINTENANCE = range(5)

# Where in its period an interruption may lie. What is left after it is for recovery.
EARLIEST, LATEST_END = 0.1, 0.7
GRID_S = 10  # resolution of the time that a machine ran


class Windows(NamedTuple):
    """For each of n moments, the interruption of the period it lies in; all of shape (n,)."""

    occurs: NDArray[np.bool_]
    start: Floats
    end: Floats
    period_end: Floats


@dataclass(frozen=True, slots=True)
class Interruption:
    """One kind of interruption: at most one in `period_s`, with this chance, lasting between these seconds."""

    name: str
    state: int
    period_s: float
    chance: float
    shortest_s: float
    longest_s: float

    def of_periods(self, seed: int, number: Integers) -> Windows:
        """The interruptions of these periods. Starts and ends are whole seconds."""
        key = key_of(seed, self.name)
        begin = (number.astype(np.float64) + (key % 997) / 997) * self.period_s  # machines are out of step
        chosen, place, length = (uniform(key + salt, number) for salt in range(3))
        duration = self.shortest_s + length * (self.longest_s - self.shortest_s)
        start = np.round(
            begin + self.period_s * EARLIEST + place * (self.period_s * (LATEST_END - EARLIEST) - duration)
        )
        return Windows(chosen < self.chance, start, np.round(start + duration), begin + self.period_s)

    def around(self, seed: int, t: Floats) -> Windows:
        key = key_of(seed, self.name)
        return self.of_periods(seed, np.floor(t / self.period_s - (key % 997) / 997).astype(np.int64))

    def inside(self, seed: int, t: Floats) -> NDArray[np.bool_]:
        window = self.around(seed, t)
        return window.occurs & (t >= window.start) & (t < window.end)


# Later ones win over earlier ones. Together a machine stands for about a tenth of the time.
INTERRUPTIONS = (
    Interruption("idle", IDLE, 3_300, 0.7, 90, 420),
    Interruption("stopped", STOPPED, 21_600, 0.6, 480, 2_100),
    Interruption("fault", FAULT, 32_400, 0.55, 120, 360),
    Interruption("maintenance", MAINTENANCE, 144_000, 0.5, 1_500, 3_600),
)
FAULTS = INTERRUPTIONS[FAULT - 1]
STRAIN_BEFORE_S = 900.0  # how long a coming fault shows
STRAIN_AFTER_S = 300.0


@dataclass(frozen=True)
class Course:
    """One machine's course. Times are seconds since 1970 UTC, of shape (n,), as are the answers."""

    machine_address: str
    seed: int = 0

    @cached_property
    def key(self) -> int:
        return key_of(self.machine_address, self.seed)

    def state(self, t: Floats) -> Integers:
        """The number of the state at each moment."""
        state = np.full(t.shape, RUNNING, np.int64)
        for kind in INTERRUPTIONS:
            state[kind.inside(self.key, t)] = kind.state
        return state

    def changes(self, start: float, end: float) -> Floats:
        """The moments in [start, end) at which the state changes, in order."""
        edges = []
        for kind in INTERRUPTIONS:
            numbers = np.arange(np.floor(start / kind.period_s) - 1, np.ceil(end / kind.period_s) + 1).astype(np.int64)
            window = kind.of_periods(self.key, numbers)
            edges += [window.start[window.occurs], window.end[window.occurs]]
        moments = np.unique(np.concatenate(edges))
        moments = moments[(moments >= start) & (moments < end)]
        return moments[self.state(moments) != self.state(moments - 1)]

    def activity(self, t: Floats, fall_s: float, rise_s: float) -> Floats:
        """How much of its running level something has that falls and rises this slowly: 0 to 1, without jumps.

        It falls exponentially with the time constant `fall_s` while the machine stands, and is back within
        `rise_s` seconds after, or what is left of the period.
        """
        activity = np.ones(t.shape)
        for kind in INTERRUPTIONS:
            window = kind.around(self.key, t)
            fallen = 1.0 - np.exp((window.start - np.clip(t, window.start, window.end)) / fall_s)
            risen = np.clip((t - window.end) / np.minimum(rise_s, window.period_end - window.end), 0.0, 1.0)
            left = 1.0 - risen
            activity *= 1.0 - window.occurs * fallen * left * left * left
        return activity

    def strain(self, t: Floats) -> Floats:
        """How near a fault is: rises from 0 to 1 in the minutes before one, and fades after it began."""
        window = FAULTS.around(self.key, t)
        coming = np.clip(1.0 - (window.start - t) / STRAIN_BEFORE_S, 0.0, 1.0)
        fading = np.clip(1.0 - (t - window.start) / STRAIN_AFTER_S, 0.0, 1.0)
        return window.occurs * coming * coming * fading

    def running_s(self, t: Floats, day_start: int, day_end: int) -> tuple[Floats, float]:
        """Seconds run from `day_start` to each moment of that day, and in the whole day."""
        edges, seconds = _running_s(self, day_start, day_end)
        return np.interp(t, edges, seconds), float(seconds[-1])


@lru_cache(maxsize=256)  # two days of each machine, in the plant's time and in UTC; 140 KB each
def _running_s(course: Course, day_start: int, day_end: int) -> tuple[Floats, Floats]:
    edges = np.arange(day_start, day_end + GRID_S, GRID_S, dtype=np.float64)
    runs = course.state(edges[:-1]) == RUNNING
    return edges, np.concatenate(([0.0], np.cumsum(runs * float(GRID_S))))


@lru_cache(maxsize=64)
def days_between(timezone: str, start: int, end: int) -> tuple[int, ...]:
    """The midnights of a time zone from the last one before `start` to the first one after `end`."""
    zone = ZoneInfo(timezone)
    day = datetime.fromtimestamp(start, UTC).astimezone(zone).date()
    midnights: list[int] = []
    while not midnights or midnights[-1] <= end:
        midnights.append(int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()))
        day += timedelta(days=1)
    return tuple(midnights)
