"""What the alarms of a rule add up to at one sensor. Pure.

An alarm here is one raising with its clearing, as if somebody had acknowledged it at once. It chatters where it is
raised three or more times within one minute: the criterion of ISA-18.2 (TR18.2.5) and EEMUA 191.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from alarms.conditions import Change, Good, Limits
from plants.scales import SECOND_US

CHATTERING_TIMES = 3
CHATTERING_WITHIN_US = 60 * SECOND_US
KEPT_EPISODES = 100_000  # of a sensor: 10 MB; beyond, they are counted and no longer listed


class Episode(NamedTuple):
    """`end_us` is None where it lasts at the end of the range; values are NaN for a silence."""

    start_us: int
    end_us: int | None
    trigger: float
    peak: float

    def lasts_us(self, end_us: int) -> int:
        return (end_us if self.end_us is None else self.end_us) - self.start_us


@dataclass(slots=True)
class Tally:
    """Counts as changes come, in the order of their time."""

    limits: Limits
    episodes: list[Episode] = field(default_factory=list)
    alarms: int = 0
    chattering: int = 0
    active_us: int = 0
    _open: Change | None = None
    _peak: float = math.nan
    _last_us: deque[int] = field(default_factory=lambda: deque(maxlen=CHATTERING_TIMES))
    _marked: int = 0  # the alarms up to this one were counted as chattering, or were not and will not be

    def add(self, change: Change | Good) -> None:
        if isinstance(change, Good):
            self._peak = change.value
        elif change.is_active:
            self._begin(change)
        elif self._open is not None:
            self._end(change.time_us, change.time_us)

    def finish(self, end_us: int) -> None:
        if self._open is not None:
            self._end(None, end_us)

    @property
    def are_all_listed(self) -> bool:
        return len(self.episodes) == self.alarms

    def _begin(self, change: Change) -> None:
        self._open, self._peak = change, change.value
        self.alarms += 1
        self._last_us.append(change.time_us)
        if len(self._last_us) == CHATTERING_TIMES and change.time_us - self._last_us[0] <= CHATTERING_WITHIN_US:
            self.chattering += min(CHATTERING_TIMES, self.alarms - self._marked)
            self._marked = self.alarms

    def _end(self, end_us: int | None, until_us: int) -> None:
        assert self._open is not None
        self.active_us += until_us - self._open.time_us
        if len(self.episodes) < KEPT_EPISODES:
            self.episodes.append(Episode(self._open.time_us, end_us, self._open.value, self._peak))
        self._open = None
