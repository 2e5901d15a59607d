"""Buckets of time, all aligned to UTC."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # a midnight; the database bins from it too


class Mark(NamedTuple):
    """An hour of a sensor whose stored buckets lack late readings."""

    sensor: int
    hour: datetime


def floor(time: datetime, unit: timedelta) -> datetime:
    """The start of the bucket that contains this time."""
    return time - (time - EPOCH) % unit


def ceil(time: datetime, unit: timedelta) -> datetime:
    """The end of the bucket that contains this time, or the time itself where it is a start."""
    return time + (EPOCH - time) % unit


def day_steps(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Parts of [start, end) that end with each UTC day."""
    while start < end:
        step_end = min(end, floor(start, DAY) + DAY)
        yield start, step_end
        start = step_end


def runs(hours: Iterable[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """The [start, end) of each run of hours that follow each other without a gap."""
    start = end = None
    for hour in sorted(set(hours)):
        if hour != end:
            if start is not None and end is not None:
                yield start, end
            start = hour
        end = hour + HOUR
    if start is not None and end is not None:
        yield start, end
