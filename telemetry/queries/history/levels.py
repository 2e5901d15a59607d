"""Which level answers: the coarsest that fits between the edges of the buckets, finer ones at the ends of the range.

Times are microseconds since 1970 UTC.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

SECOND = 1_000_000


class Level(IntEnum):
    """By the length of its buckets, which lie on its multiples in UTC; RAW stands for single readings."""

    RAW = 1
    MINUTE = 60 * SECOND
    HOUR = 3600 * SECOND
    DAY = 86_400 * SECOND

    @property
    def relation(self) -> str:
        return {Level.RAW: "reading", Level.MINUTE: "reading_1m", Level.HOUR: "reading_1h", Level.DAY: "reading_1d"}[
            self
        ]

    def floor(self, time: int) -> int:
        return time - time % self

    def ceil(self, time: int) -> int:
        return time + -time % self

    @property
    def finer(self) -> "Level":
        return {Level.DAY: Level.HOUR, Level.HOUR: Level.MINUTE}.get(self, Level.RAW)


class Piece(NamedTuple):
    """What a level answers: since <= time < until; both at edges of its buckets, unless it is RAW."""

    level: Level
    since: int | None  # None: from the first reading on
    until: int


def base_level(edges: Sequence[int]) -> Level:
    """The coarsest level with buckets that none of the edges (seconds) cuts; the ends of the range don't count."""
    inner = [edge * SECOND for edge in edges[1:-1]]
    for level in (Level.DAY, Level.HOUR):
        if not any(edge % level for edge in inner):
            return level
    return Level.MINUTE


def pieces(start: int, end: int, level: Level) -> list[Piece]:
    """[start, end) out of the level, and out of finer ones where it begins and ends within a bucket, in order."""
    if start >= end:
        return []
    if level is Level.RAW:
        return [Piece(level, start, end)]
    first, last = level.ceil(start), level.floor(end)
    if first > last:
        return pieces(start, end, level.finer)
    return [
        *pieces(start, first, level.finer),
        *([Piece(level, first, last)] if first < last else []),
        *pieces(last, end, level.finer),
    ]


def pieces_before(start: int) -> list[Piece]:
    """All time before the start, in which the last reading is sought, in order."""
    day, hour, minute = Level.DAY.floor(start), Level.HOUR.floor(start), Level.MINUTE.floor(start)
    steps = [(Level.DAY, None, day), (Level.HOUR, day, hour), (Level.MINUTE, hour, minute), (Level.RAW, minute, start)]
    return [Piece(level, since, until) for level, since, until in steps if since != until]
