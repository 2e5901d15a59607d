"""Reasons, times and links for the pages of the inbox."""

from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlencode

from django import template

from plants.models import Plant
from telemetry import formats
from telemetry.letter_filter import LetterFilter, Place
from telemetry.queries.console import quality_of
from telemetry.readings import Reason

register = template.Library()

REASONS = {
    Reason.INVALID_JSON: "Not readable",
    Reason.INVALID_TOPIC: "Topic not understood",
    Reason.TOO_LARGE: "Message too large",
    Reason.TOO_MANY_SAMPLES: "Too many samples",
    Reason.TOO_DEEP: "Nested too deep",
    Reason.NOT_A_NUMBER: "Not a number",
    Reason.NOT_FINITE: "Not finite",
    Reason.INTEGER_TOO_LARGE: "Integer too large",
    Reason.UNKNOWN_STATE: "Unknown state",
    Reason.BAD_QUALITY: "Quality not understood",
    Reason.BAD_TIMESTAMP: "Timestamp not understood",
    Reason.TIMESTAMP_OUT_OF_RANGE: "Time out of range",
    Reason.UNKNOWN_PLANT: "Unknown plant",
    Reason.UNKNOWN_SENSOR: "Unknown sensor",
    Reason.SENSOR_INACTIVE: "Sensor inactive",
    Reason.DATABASE_REJECTED: "Refused by the database",
}


@register.filter
def reason_label(reason: str) -> str:
    return REASONS[Reason(reason)]


@register.filter
def zone_of(plant: Plant | None) -> tzinfo:
    """Where no plant says in which zone its people live, UTC."""
    return plant.tz if plant else UTC


@register.simple_tag
def day_clock(time: datetime, tz: Any, now: datetime) -> str:
    """`14:31:22`, or `23 Nov 14:31:22` where that is not today."""
    return formats.format_day_clock(time, tz, now)


@register.filter
def quality_word(quality: int) -> str:
    return quality_of(quality)


@register.filter
def exactly(value: float) -> str:
    """All the digits that would be stored, whatever the sensor's decimals."""
    return f"{value:.15g}".replace("-", formats.MINUS)


@register.filter
def grouped(number: int) -> str:
    """`1 284`."""
    return formats.format_number(number, 0)


@register.simple_tag
def filtered(chosen: LetterFilter, before: Place | str = "", after: Place | str = "", **changes: str) -> str:
    """The query of a link that changes the filter, and of the page behind or in front of a place."""
    places = {name: str(place) for name, place in (("before", before), ("after", after)) if place}
    return f"?{urlencode(chosen._replace(**changes).query() | places)}"


@register.filter
def beginning(letter: Any) -> str:
    """The payload's beginning on one line."""
    return " ".join(bytes(letter.beginning).decode(errors="replace").split())


@register.filter
def sensor_part(letter: Any) -> str:
    """The address without the source that it begins with."""
    return letter.address.removeprefix(f"{letter.source}/")
