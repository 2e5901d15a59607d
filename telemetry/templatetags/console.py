"""Values, ages, sparklines and freshness bars for the console's templates."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import template
from django.urls import reverse

from plants.models import Sensor
from telemetry import formats
from telemetry.attention import Concern, Worst
from telemetry.increase import increase
from telemetry.machine_state import Pictogram, label_of
from telemetry.queries.console import SensorView, quality_of
from telemetry.queries.effects import Effect
from telemetry.queries.history.answer import Series
from telemetry.queries.rates import Rates
from telemetry.queries.timeline import SPAN, Stretch
from telemetry.queries.trend_page import TrendPage
from telemetry.sparkline import Sparkline
from telemetry.sparkline import sparkline as draw
from telemetry.trend_query import TrendQuery

register = template.Library()

BAR_ORDER = ("fresh", "late", "stale", "none", "bad")
BAR_LEAST = 2.0  # percent: one bad sensor of a thousand is still seen
BAR_GAP = 0.7


@register.filter
def number(value: float, decimals: int) -> str:
    return formats.format_number(value, decimals)


@register.filter
def before_and_after(effect: Effect) -> list[tuple[float | None, float | None]]:
    """Means, lowest, highest."""
    before, after = effect["before"], effect["after"]
    return [(before["mean"], after["mean"]), (before["min"], after["min"]), (before["max"], after["max"])]


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
    sensor = view.sensor
    return draw(_hour(view), now, low=sensor.low, high=sensor.high, interval_s=sensor.expected_interval_s)


def _hour(view: SensorView) -> list[tuple[datetime, float]]:
    if view.latest is None or view.quality == "bad":
        return view.points
    return [point for point in view.points if point[0] < view.latest.time] + [(view.latest.time, view.latest.value)]


@register.simple_tag
def increase_text(view: SensorView, tz: ZoneInfo, now: datetime) -> str:
    """`+12.4 kWh since 14:31`, or nothing."""
    found, sensor = increase(_hour(view), now), view.sensor
    if found is None:
        return ""
    unit = formats.THIN + sensor.unit if sensor.unit else ""
    amount = formats.format_number(found.amount, sensor.decimals)
    return f"+{amount}{unit} since {formats.format_clock(found.since, tz, now)}"


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


@register.simple_tag
def rate(readings_a_second: float) -> str:
    return formats.format_number(readings_a_second, 0 if readings_a_second >= 10 else 1)


@register.simple_tag
def rate_sparkline(rates: Rates, now: datetime) -> Sparkline:
    """On a scale that has nothing at its foot: a tenth less is seen as a tenth less."""
    return draw(rates, now, low=0, high=10 * max((each for _, each in rates), default=0), interval_s=None)


CONCERN_WORDS = {"fault": "in fault", "silent": "silent", "unknown": "state unknown", "maintenance": "in maintenance"}
CONCERN_ICONS = {"bad": "error", "late": "clock"}


@register.simple_tag
def concern_icon(concern: Concern | None) -> str:
    return CONCERN_ICONS.get(concern.kind, concern.kind) if concern else "check"


@register.filter
def concern_words(concern: Concern) -> str:
    """`silent, 5 sensors`, `2 of 8 stale`, `1 of 12 sensors` beside the tag that says bad."""
    if concern.kind == "silent":
        return f"silent, {concern.sensors} sensor{'' if concern.sensors == 1 else 's'}"
    return f"{concern.sensors} of {concern.of} {'sensors' if concern.kind == 'bad' else concern.kind}"


@register.filter
def concern_title(concern: Concern) -> str:
    """`Roller 2 in fault`, `Dryer 2: 2 of 8 sensors stale`"""
    name = concern.machine.machine.name
    if concern.is_state:
        return f"{name} {CONCERN_WORDS[concern.kind]}"
    return f"{name}: {concern.sensors} of {concern.of} sensors {concern.kind}"


@register.simple_tag
def concern_detail(worst: Worst, tz: ZoneInfo, now: datetime) -> str:
    """`since 14:29, and 2 other machines`; the script tells durations instead."""
    concern = worst.concern
    said = []
    if concern.since and concern.kind != "bad":
        time = formats.format_clock(concern.since, tz, now)
        said.append(f"since {time}" if concern.is_state else f"last reading {time}")
    if worst.others:
        said.append(f"and {worst.others} other machine{'' if worst.others == 1 else 's'}")
    return ", ".join(said)


STATE_WORDS = {"none": "without a state", "waiting": "without data", "unknown": "unknown", "other": "other"}


@register.filter
def state_word(state: str) -> str:
    """The word beside a count of machines: `1 fault`, `2 without data`."""
    return STATE_WORDS.get(state, state)


@register.filter
def duration(seconds: float) -> str:
    """`6 h 08 min`"""
    return formats.format_age(seconds)


@register.filter
def trend_link(sensor: Sensor, machine: str) -> str:
    """The trend of a sensor of the machine at this address."""
    return f"{reverse('trend')}?{urlencode({'sensor': f'{machine}/{sensor.slug}'}, safe='/')}"


@register.simple_tag
def range_bar(view: SensorView) -> dict[str, Any]:
    """Where the latest value lies between the lowest and the highest plausible; counters and states have no such."""
    sensor = view.sensor
    if sensor.kind != "gauge" or sensor.low is None or sensor.high is None or sensor.low >= sensor.high:
        return {"shown": False, "x": "0%"}
    part = (view.latest.value - sensor.low) / (sensor.high - sensor.low) if view.latest else 0.0
    return {
        "shown": True,
        "x": f"{100 * min(1.0, max(0.0, part)):.2f}%",
        "low_decimals": 0 if sensor.low.is_integer() else sensor.decimals,
        "high_decimals": 0 if sensor.high.is_integer() else sensor.decimals,
    }


# Of a timeline 40 high: what a state looks like before it has a colour. `timeline.js` draws the same.
BARS: dict[Pictogram, tuple[float, float]] = {
    "fault": (1, 38),
    "idle": (26, 9),
    "stopped": (33, 2),
    "other": (15, 20),
    "unknown": (15, 20),
}


@register.filter
def placed(parts: Sequence[Stretch]) -> list[dict[str, Any]]:
    """The timeline's rectangles: `{"pictogram", "word", "x", "width", "y", "height"}`, x and width in percent."""
    if not parts:
        return []
    end, span = parts[-1].until, SPAN.total_seconds()
    return [
        {
            "pictogram": part.pictogram,
            "word": part.word,
            "x": f"{100 * (1 - (end - part.since) / span):.3f}%",
            "width": f"{100 * (part.until - part.since) / span:.3f}%",
            "y": BARS.get(part.pictogram, (5, 30))[0],
            "height": BARS.get(part.pictogram, (5, 30))[1],
        }
        for part in parts
    ]


@register.simple_tag
def share(parts: Sequence[Stretch], pictogram: str) -> str:
    """How much of the time with a known state a machine was in it, in percent; a dash where none is known."""
    known = sum(part.until - part.since for part in parts if part.pictogram != "silent")
    spent = sum(part.until - part.since for part in parts if part.pictogram == pictogram)
    return f"{100 * spent / known:.0f}" if known else "–"


@register.simple_tag
def trend_query(query: TrendQuery, **changes: str) -> str:
    return query.link(**changes)


@register.simple_tag
def trend_around(query: TrendQuery, time: datetime, now: datetime) -> str:
    return query.around(time, now)


@register.filter
def local_input(time: datetime, tz: ZoneInfo) -> str:
    """What an `<input type="datetime-local">` takes."""
    return f"{time.astimezone(tz):%Y-%m-%dT%H:%M:%S}"


@register.simple_tag
def api_query(name: str, page: TrendPage, start: datetime, end: datetime) -> str:
    """The same sensors and range for programs."""
    pairs = [("sensor_id", each.sensor.address) for each in page.sensors]
    pairs += [("start", start.astimezone(UTC).isoformat()), ("end", end.astimezone(UTC).isoformat())]
    if name == "telemetry_history":
        pairs.append(("bucket", "auto"))
    return f"{reverse(name)}?{urlencode(pairs, safe='/')}"


COLUMN_WORDS = {"avg": "Mean", "min": "Min", "max": "Max", "value": "Value", "quality": "Quality"} | {
    "delta": "Increase",
    "last": "Last",
}


@register.filter
def column_word(column: str) -> str:
    """States have a column each, under their own names."""
    return COLUMN_WORDS.get(column, column)


@register.filter
def table_rows(series: Series, sensor: Sensor) -> list[tuple[float, list[str]]]:
    """`(ms since 1970, cells)`, the newest first."""
    rows = []
    for time, *cells in reversed(series["points"]):
        assert time is not None
        named = zip(series["columns"][1:], cells, strict=True)
        rows.append((time, [_cell(name, cell, sensor, series["bucket"]) for name, cell in named]))
    return rows


def _cell(column: str, value: float | int | None, sensor: Sensor, bucket: str) -> str:
    if value is None:
        return "–"
    if column == "quality":
        return quality_of(int(value))
    if sensor.kind == "state":
        known = label_of(sensor.states, value) or f"{value:g}"
        return known if bucket == "raw" else formats.format_age(value)
    return formats.format_number(value, sensor.decimals)


@register.simple_tag
def point_time(ms: float, tz: ZoneInfo) -> str:
    """`24 Nov 14:31:22`; the offset stands in the table's head."""
    return formats.format_time(datetime.fromtimestamp(ms / 1000, UTC), tz).rpartition(" ")[0]
