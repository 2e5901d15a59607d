"""What a web process has heard of one plant's alarms."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

RESUMABLE = 1000  # events that a client may have missed; who has missed more begins anew


class Told(NamedTuple):
    """An event, by its number in the journal, as it is told."""

    number: int
    frame: str


class Tail:
    """The last events of a plant."""

    def __init__(self, last: int) -> None:
        self.last = last
        self._whole_from = last  # whoever has seen this one finds all later ones here
        self._told: deque[Told] = deque()

    def add(self, told: Iterable[Told], last: int) -> None:
        self._told.extend(told)
        self.last = last
        while len(self._told) > RESUMABLE:
            self._whole_from = self._told.popleft().number

    def since(self, number: int) -> list[Told] | None:
        """Those after this one; None where not all of them are here."""
        if number < self._whole_from:
            return None
        return [each for each in self._told if each.number > number]
