"""Where buckets begin and end: by the clock and the calendar of a time zone, right across changes of its offset.

Times are whole seconds since 1970 UTC.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86_400
SECONDS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY, "month": 30 * DAY}
NAMES = {"minute": "1m", "hour": "1h", "day": "1d", "week": "1w", "month": "1month"}
PATTERN = re.compile(r"([1-9][0-9]{0,4})(m|h|d|w|month)")

CENTURY = 36_525 * DAY

ORIGIN = date(2000, 1, 3)  # a Monday, from which buckets count that divide neither day nor year
ORIGIN_S = 946_857_600

WRONG = "Choose auto, raw, or a number with m, h, d, w or month, such as 15m, 1d or 1month."
TOO_FINE = "The finest bucket is 1m; ask for raw, with method=lttb or minmax where that is too much."


class Bucket(NamedTuple):
    """So many minutes, hours, days, weeks or months."""

    size: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Bucket":
        """The inverse of `str`, and `hour`, `day` and so on; ValueError, with what to write, where it is neither."""
        match = PATTERN.fullmatch(NAMES.get(text, text))
        if match is None:
            raise ValueError(TOO_FINE if re.fullmatch(r"\d+(s|ms|us)", text) else WRONG)
        found = cls(int(match[1]), match[2])
        if found.about_s > CENTURY:
            raise ValueError("The largest bucket is a hundred years.")
        return found

    def __str__(self) -> str:
        return f"{self.size}{self.unit}"

    @property
    def about_s(self) -> int:
        """How long one is; a month is about 30 days."""
        return self.size * SECONDS[self.unit]


def edges(bucket: Bucket, start: int, end: int, tz: tzinfo) -> list[int]:
    """The begin of each bucket that has a part in [start, end), and the end of the last; ascending.

    Minutes and hours that divide a day go by the wall clock: 6h is 0, 6, 12 and 18 o'clock also on a day of 23
    hours. An hour that comes twice is two buckets. Days and longer begin at local midnight, weeks on Mondays,
    several months count from January of the year 0. Other numbers of minutes and hours count from ORIGIN in UTC.
    """
    found = _candidates(bucket, start, end, tz)
    return found[max(0, bisect_right(found, start) - 1) : bisect_left(found, end) + 1]


def _candidates(bucket: Bucket, start: int, end: int, tz: tzinfo) -> list[int]:
    """Edges in order, of which the first is not after the start and the last not before the end."""
    first_day = datetime.fromtimestamp(start, tz).date() - timedelta(days=1)
    last_day = datetime.fromtimestamp(end, tz).date() + timedelta(days=1)
    if bucket.unit == "month":
        return _months(bucket.size, first_day, last_day, tz)
    if bucket.unit in "dw":
        return _days(bucket.size * (7 if bucket.unit == "w" else 1), first_day, last_day, tz)
    step = bucket.about_s
    if DAY % step == 0:
        return _by_the_clock(step, first_day, last_day, tz)
    return list(range(start - (start - ORIGIN_S) % step, end + step, step))


def _months(size: int, first_day: date, last_day: date, tz: tzinfo) -> list[int]:
    first = first_day.year * 12 + first_day.month - 1
    last = last_day.year * 12 + last_day.month - 1
    months = range(first - first % size, last + size + 1, size)
    return _ascending(_instant(date(month // 12, month % 12 + 1, 1), 0, tz) for month in months)


def _days(size: int, first_day: date, last_day: date, tz: tzinfo) -> list[int]:
    first = first_day.toordinal()
    first -= (first - ORIGIN.toordinal()) % size
    days = range(first, last_day.toordinal() + size + 1, size)
    return _ascending(_instant(date.fromordinal(day), 0, tz) for day in days)


def _by_the_clock(step: int, first_day: date, last_day: date, tz: tzinfo) -> list[int]:
    found: list[int] = []
    day, begin = first_day, _instant(first_day, 0, tz)
    while day <= last_day:
        following = day + timedelta(days=1)
        end = _instant(following, 0, tz)
        if end - begin == DAY:
            found.extend(range(begin, end, step))
        else:
            found.extend(edge for edge in _odd_day(step, day, tz) if begin <= edge < end)
        day, begin = following, end
    found.append(begin)
    return found


def _odd_day(step: int, day: date, tz: tzinfo) -> list[int]:
    """The edges of a day in which the offset changes.

    A time that the clocks skip is the moment of the change or, where they go on from a later time, that one. What
    comes twice counts twice if buckets are up to an hour long; longer ones go on.
    """
    seconds = range(0, DAY, step)
    first = [_instant(day, second, tz) for second in seconds]
    again = [_instant(day, second, tz, fold=1) for second in seconds] if step <= HOUR else first
    # Of a time that is skipped, `fold=1` is the earlier of the two instants that it might be.
    return _ascending(first + [two for one, two in zip(first, again, strict=True) if two > one])


def _instant(day: date, second: int, tz: tzinfo, fold: int = 0) -> int:
    """A local time of day as time; to the minute, for zones had odd seconds until 1972."""
    local = datetime(day.year, day.month, day.day, second // HOUR, second % HOUR // MINUTE, tzinfo=tz, fold=fold)
    return int(local.timestamp()) // MINUTE * MINUTE


def _ascending(times: Iterable[int]) -> list[int]:
    return sorted(set(times))
