"""Values, ages, sparklines and freshness bars for the console's templates."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template

from telemetry import formats
from telemetry.queries.console import SensorView
from telemetry.sparkline import Sparkline
from telemetry.sparkline import sparkline as draw

register = template.Library()

BAR_ORDER = ("fresh", "late", "stale", "none", "bad")
BAR_LEAST = 2.0  # percent: one bad sensor of a thousand is still seen
BAR_GAP = 0.7


@register.filter
def number(value: float, decimals: int) -> str:
    return formats.format_number(value, decimals)


@register.simple_tag
def clock(time: datetime, tz: ZoneInfo, now: datetime) -> str:
    """`14:31`, or `23 Nov`."""
    return formats.format_clock(time, tz, now)


@register.simple_tag
def full_time(time: datetime, tz: ZoneInfo) -> str:
    return formats.format_time(time, tz)


@register.simple_tag
def wall_clock(now: datetime, tz: ZoneInfo) -> str:
    """`14:32:08`: the plant's own time."""
    return f"{now.astimezone(tz):%H:%M:%S}"


@register.simple_tag
def offset(time: datetime, tz: ZoneInfo) -> str:
    return formats.format_offset(time, tz)


@register.simple_tag
def sparkline(view: SensorView, now: datetime) -> Sparkline:
    """The last hour, and on its end the latest value itself, as the page's script goes on to draw it."""
    points = list(view.points)
    if view.latest and view.quality != "bad":
        points = [point for point in points if point[0] < view.latest.time]
        points.append((view.latest.time, view.latest.value))
    sensor = view.sensor
    return draw(points, now, low=sensor.low, high=sensor.high, interval_s=sensor.expected_interval_s)


@register.simple_tag
def bar_segments(standings: Mapping[str, int]) -> list[dict[str, Any]]:
    """The freshness bar: `{"standing", "x", "width"}` in percent, none below what an eye can see."""
    present = [(standing, standings[standing]) for standing in BAR_ORDER if standings.get(standing)]
    total = sum(count for _, count in present)
    room = 100 - BAR_GAP * (len(present) - 1)
    wide = [(standing, max(BAR_LEAST, room * count / total)) for standing, count in present]
    scale = room / sum(width for _, width in wide) if wide else 1
    segments, x = [], 0.0
    for standing, width in wide:
        segments.append({"standing": standing, "x": f"{x:.2f}%", "width": f"{width * scale:.2f}%"})
        x += width * scale + BAR_GAP
    return segments


@register.filter
def short_place(location: str) -> str:
    """`Kandy` of `Kandy, Sri Lanka`."""
    return location.partition(",")[0]


STATE_WORDS = {"none": "without a state", "waiting": "without data", "unknown": "unknown", "other": "other"}


@register.filter
def state_word(state: str) -> str:
    """The word beside a count of machines: `1 fault`, `2 without data`."""
    return STATE_WORDS.get(state, state)
