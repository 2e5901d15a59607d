"""What a trend shows: sensors, a range of time and how, all of it in the URL."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.dateparse import parse_datetime

MAX_SENSORS = 8  # lines that an eye can tell apart
RANGES = {
    "5m": ("5 min", timedelta(minutes=5)),
    "15m": ("15 min", timedelta(minutes=15)),
    "1h": ("1 h", timedelta(hours=1)),
    "8h": ("8 h", timedelta(hours=8)),
    "24h": ("24 h", timedelta(days=1)),
    "7d": ("7 d", timedelta(days=7)),
    "30d": ("30 d", timedelta(days=30)),
    "90d": ("90 d", timedelta(days=90)),
    "1y": ("1 y", timedelta(days=365)),
}
DEFAULT_RANGE = "8h"
LONGEST = timedelta(days=36_525)
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TrendQuery:
    sensors: tuple[str, ...]  # addresses or UUIDs
    range: str = DEFAULT_RANGE  # what counts while start and end are None: the time up to now
    start: datetime | None = None
    end: datetime | None = None
    table: bool = False  # the same as numbers
    follow: bool = True  # whether a range up to now goes on with the time
    wrong: str = ""  # what was not understood

    @classmethod
    def from_query(cls, query: QueryDict) -> "TrendQuery":
        """An old or mistyped link still shows something, and says what of it was not understood."""
        sensors = tuple(dict.fromkeys(filter(None, query.getlist("sensor"))))
        found = cls(sensors, table=query.get("view") == "table", follow=query.get("follow") != "0")
        if len(sensors) > MAX_SENSORS:
            found = replace(
                found, sensors=sensors[:MAX_SENSORS], wrong=f"A trend shows {MAX_SENSORS} sensors at most: the first."
            )
        if "from" in query or "to" in query:
            return found._between(query.get("from", ""), query.get("to", ""), query.get("zone", "UTC"))
        chosen = query.get("range", DEFAULT_RANGE)
        if chosen in RANGES:
            return replace(found, range=chosen)
        known = ", ".join(RANGES)
        return replace(found, wrong=f"There is no range “{chosen}”: these are the last 8 hours. Ranges are {known}.")

    def _between(self, first: str, last: str, zone: str) -> "TrendQuery":
        tz = _zone(zone)
        if tz is None:
            return replace(self, wrong=f"“{zone}” is not a time zone. Use a name such as Europe/Amsterdam.")
        start, end = _time(first, tz), _time(last, tz)
        if start is None or end is None or not start < end <= start + LONGEST:
            return replace(self, wrong="Not a range: give from and to, in this order, such as 2026-11-24T06:30Z.")
        return replace(self, start=start, end=end)

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        if self.start is not None and self.end is not None:
            return self.start, self.end
        return now - RANGES[self.range][1], now

    def link(self, **changes: str) -> str:
        """The query of a page that differs in one thing; `range="24h"` replaces from and to."""
        pairs = [("sensor", each) for each in self.sensors if each != changes.get("without")]
        if "range" in changes:
            pairs.append(("range", changes["range"]))
        elif self.start is not None and self.end is not None:
            pairs += [("from", _text(self.start)), ("to", _text(self.end))]
        else:
            pairs.append(("range", self.range))
        return "?" + urlencode(pairs + self.manner(changes.get("view")), safe="/:")

    def manner(self, view: str | None = None) -> list[tuple[str, str]]:
        """What differs from a chart that follows."""
        is_table = self.table if view is None else view == "table"
        return [*([("view", "table")] if is_table else []), *([] if self.follow else [("follow", "0")])]

    def around(self, time: datetime, now: datetime) -> str:
        """The query of a page as long as this one that ends soon after that time."""
        start, end = self.bounds(now)
        moved = min(time + (end - start) / 20, LATEST)
        return replace(self, start=moved - (end - start), end=moved).link()


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a directory of zones, such as Europe
        return None


def _time(text: str, tz: tzinfo) -> datetime | None:
    """With an offset, or in that zone."""
    try:
        time = parse_datetime(text.replace(" ", "+"))  # a plus sign that nobody escaped
    except ValueError:
        return None
    if time is None:
        return None
    time = time if time.tzinfo else time.replace(tzinfo=tz)
    return time if EARLIEST <= time <= LATEST else None


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").replace(".000Z", "Z")
