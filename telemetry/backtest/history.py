"""The stored readings of a sensor in the order of their time, a page at a time: memory does not grow with the range."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from plants.scales import instant, microseconds

PAGE_READINGS = 20_000  # of a query: some 4 MB

PAGE = """
SELECT (extract(epoch FROM time) * 1000000)::bigint, value, quality FROM reading
WHERE sensor = %s AND time >= %s AND time < %s ORDER BY time LIMIT %s
"""
FIRST = "SELECT min(time) FROM reading WHERE sensor = %s"
COUNT = """
SELECT coalesce(sum(n), 0)::bigint FROM reading_1h
WHERE sensor = ANY(%s) AND bucket > %s::timestamptz - interval '1 hour' AND bucket < %s
"""


class Past(NamedTuple):
    """A reading; `is_other`: of the sensor from which a deviation is measured."""

    time_us: int
    is_other: bool
    value: float
    quality: int


Progress = Callable[[int], None]  # so many readings more


def past(sensor: int, other: int | None, start: datetime, end: datetime, progress: Progress) -> Iterator[Past]:
    """start <= time < end; of equal times the other sensor's reading is first, as if both came in one message."""
    if other is None:
        return _past(sensor, False, start, end, progress)
    streams = _past(sensor, False, start, end, progress), _past(other, True, start, end, progress)
    return heapq.merge(*streams, key=lambda each: (each.time_us, not each.is_other))


def _past(sensor: int, is_other: bool, start: datetime, end: datetime, progress: Progress) -> Iterator[Past]:
    while start < end:
        with connection.cursor() as cursor:
            cursor.execute(PAGE, [sensor, start, end, PAGE_READINGS])
            rows = cursor.fetchall()
        for time_us, value, quality in rows:
            yield Past(time_us, is_other, value, quality)
        progress(len(rows))
        if len(rows) < PAGE_READINGS:
            return
        start = instant(rows[-1][0] + 1)


def first_us(sensor: int) -> int | None:
    """When the sensor's raw readings begin, as far as they are kept; None without any."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST, [sensor])
        (first,) = cursor.fetchone()
    return None if first is None else microseconds(first)


def count(sensors: Sequence[int], start: datetime, end: datetime) -> int:
    """About how many readings that is: whole hours, from the rollups."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [list(sensors), start, end])
        (found,) = cursor.fetchone()
    return int(found)
