"""Ages and the line of rates for the system page."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil, log10
from typing import NamedTuple

from django import template

from telemetry import formats
from telemetry.models import IngestEvent

register = template.Library()

HEIGHT = 100.0  # of the drawing, whose width is the number of rates less one
EVENTS = {
    IngestEvent.Kind.SESSION_LOST: "Session lost",
    IngestEvent.Kind.BROKER_DROPPED: "Broker dropped messages",
    IngestEvent.Kind.TOOK_OVER: "Took over",
    IngestEvent.Kind.LEDGER_BROKEN: "Ledger does not add up",
}


class Drawing(NamedTuple):
    points: str  # of an SVG polyline
    width: int
    top: float  # what the upper edge stands for


@register.simple_tag
def since(time: datetime, now: datetime) -> str:
    return formats.format_age((now - time).total_seconds())


@register.filter
def seconds(duration_s: float) -> str:
    """`0.3 s`, `14 min`."""
    return formats.format_age(duration_s) if duration_s >= 10 else f"{duration_s:.1f}{formats.THIN}s"


@register.filter
def rate(readings_a_second: float) -> str:
    return formats.format_number(readings_a_second, 0 if readings_a_second >= 10 else 1)


@register.filter
def event_words(kind: str) -> str:
    return EVENTS[IngestEvent.Kind(kind)]


@register.simple_tag
def rate_line(rates: Sequence[float]) -> Drawing:
    top = round_top(max(rates))
    points = " ".join(f"{x},{HEIGHT - HEIGHT * each / top:.1f}" for x, each in enumerate(rates))
    return Drawing(points, len(rates) - 1, top)


def round_top(most: float) -> float:
    """The next of 1, 2, 3, 5 or 10 times a power of ten."""
    if most <= 1:
        return 1.0
    power = 10.0 ** (ceil(log10(most)) - 1)
    return next(step * power for step in (1, 2, 3, 5, 10) if step * power >= most)
