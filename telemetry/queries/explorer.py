"""A sensor's single readings, newest first, a page at a time: the primary key knows where a page begins."""

from dataclasses import dataclass
from datetime import datetime

from plants.models import Sensor
from telemetry.models import Reading

PAGE = 100


@dataclass(frozen=True, slots=True)
class Page:
    readings: list[Reading]
    older: datetime | None  # what the next page lies before; None on the last one


def page_of(sensor: Sensor, start: datetime, end: datetime, before: datetime | None = None) -> Page:
    """The newest PAGE readings of start <= time < end that lie before a time. Nothing is counted."""
    until = min(end, before) if before else end
    rows = list(Reading.objects.filter(sensor=sensor).between(start, until).order_by("-time")[: PAGE + 1])
    return Page(rows[:PAGE], rows[PAGE - 1].time if len(rows) > PAGE else None)
