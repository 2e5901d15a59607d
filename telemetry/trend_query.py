"""What a trend shows: sensors and a range of time, all of it in the URL."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.dateparse import parse_datetime

MAX_SENSORS = 8  # lines that an eye can tell apart
RANGES = {
    "5m": ("5 min", timedelta(minutes=5)),
    "1h": ("1 h", timedelta(hours=1)),
    "8h": ("8 h", timedelta(hours=8)),
    "24h": ("24 h", timedelta(days=1)),
    "7d": ("7 d", timedelta(days=7)),
    "30d": ("30 d", timedelta(days=30)),
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
    wrong: str = ""  # what was not understood

    @classmethod
    def from_query(cls, query: QueryDict) -> "TrendQuery":
        """An old or mistyped link still shows something, and says what of it was not understood."""
        sensors = tuple(dict.fromkeys(filter(None, query.getlist("sensor"))))
        chosen = query.get("range", DEFAULT_RANGE)
        found = cls(sensors, chosen if chosen in RANGES else DEFAULT_RANGE)
        if len(sensors) > MAX_SENSORS:
            found = replace(
                found, sensors=sensors[:MAX_SENSORS], wrong=f"A trend shows {MAX_SENSORS} sensors at most: the first."
            )
        if "from" not in query and "to" not in query:
            return found
        start, end = _time(query.get("from", "")), _time(query.get("to", ""))
        if start is None or end is None or not start < end <= start + LONGEST:
            return replace(found, wrong="Not a range: give from and to, in this order, such as 2026-11-24T06:30Z.")
        return replace(found, start=start, end=end)

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
        return "?" + urlencode(pairs, safe="/:")


def _time(text: str) -> datetime | None:
    """With an offset, or UTC."""
    try:
        time = parse_datetime(text.replace(" ", "+"))  # a plus sign that nobody escaped
    except ValueError:
        return None
    if time is None:
        return None
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return time if EARLIEST <= time <= LATEST else None


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").replace(".000Z", "Z")
