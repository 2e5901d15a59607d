"""The reading explorer: what is stored of one sensor, reading by reading. The admin wraps it into its dress."""

from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from plants.models import Sensor
from plants.scales import instant, microseconds
from telemetry.formats import format_offset
from telemetry.models import Reading
from telemetry.queries.console import quality_of
from telemetry.queries.explorer import chart_of, page_of
from telemetry.queries.trend_page import choices, sensors_named
from telemetry.trend_query import RANGES, TrendQuery


class Row(NamedTuple):
    time: str
    value: str
    label: str
    quality: int
    word: str


def explored(request: HttpRequest) -> dict[str, Any]:
    """The context of the page; Http404 for a sensor that does not exist for the user."""
    user, now = cast(User, request.user), timezone.now()
    query = TrendQuery.from_query(request.GET)
    sensors = sensors_named(user, query.sensors[:1])
    if sensors is None:
        raise Http404
    ranges = [(key, label, query.link(range=key)) for key, (label, _) in RANGES.items()]
    context = {"query": query, "ranges": ranges, "choices": choices(user, [])}
    return {**context, **readings_of(sensors[0], query, request.GET.get("before", ""), now)} if sensors else context


def readings_of(sensor: Sensor, query: TrendQuery, before: str, now: datetime) -> dict[str, Any]:
    start, end = query.bounds(now)
    page, tz = page_of(sensor, start, end, _before(before)), sensor.machine.zone.plant.tz
    export = {
        "sensor_id": sensor.address,
        "start": start.astimezone(UTC).isoformat(),
        "end": end.astimezone(UTC).isoformat(),
    }
    return {
        "sensor": sensor,
        "plant": sensor.machine.zone.plant,
        "start": start,
        "end": end,
        "chart": chart_of(sensor, start, end),
        "rows": [_row(sensor, reading, tz) for reading in page.readings],
        "older": f"{query.link()}&before={microseconds(page.older)}" if page.older else "",
        "newest": query.link() if before else "",
        "export": f"{reverse('telemetry_export')}?{urlencode(export, safe='/')}",
        "trend": f"{reverse('trend')}{query.link()}",
    }


def _before(text: str) -> datetime | None:
    """Microseconds since 1970 UTC, as the link to older readings has them; None for anything else."""
    try:
        return instant(int(text))
    except (ValueError, OverflowError):
        return None


def _row(sensor: Sensor, reading: Reading, tz: tzinfo) -> Row:
    """The value as it is stored, not rounded to the sensor's decimals."""
    local = reading.time.astimezone(tz).isoformat(sep=" ", timespec="milliseconds")
    time = f"{local[:23]} {format_offset(reading.time, tz)}"
    label = sensor.states.get(f"{reading.value:g}", "")
    return Row(time, repr(reading.value), label, reading.quality, quality_of(reading.quality))
