"""When the hours of a rule begin and end. Pure."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from plants.scales import instant, microseconds


def edges(schedule: dict[str, Any], tz: ZoneInfo, after_us: int, until_us: int) -> Iterator[int]:
    """The times after the first and up to the second at which a day's hours may begin or end, in order."""
    if not schedule:
        return
    clocks = sorted(time.fromisoformat(schedule[name]) for name in ("from", "to"))
    day, last = (instant(each).astimezone(tz).date() for each in (after_us, until_us))
    while day <= last:
        for clock in clocks:
            edge_us = microseconds(datetime.combine(day, clock, tz))
            if after_us < edge_us <= until_us:
                yield edge_us
        day += timedelta(days=1)
