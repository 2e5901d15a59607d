"""A sensor's single readings, newest first, a page at a time, and what all of a range look like together."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from plants.models import Sensor
from telemetry.models import Reading
from telemetry.outline import Outline, Point, outline
from telemetry.queries.history.answer import Question, history
from telemetry.queries.history.limited import TooSlowError
from telemetry.queries.history.refused import RefusedError

PAGE = 100
POINTS = 250  # of a chart: four pixels each


@dataclass(frozen=True, slots=True)
class Page:
    readings: list[Reading]
    older: datetime | None  # what the next page lies before; None on the last one


def page_of(sensor: Sensor, start: datetime, end: datetime, before: datetime | None = None) -> Page:
    """The newest PAGE readings of start <= time < end that lie before a time.

    Nothing is counted: the primary key knows where a page begins.
    """
    until = min(end, before) if before else end
    rows = list(Reading.objects.filter(sensor=sensor).between(start, until).order_by("-time")[: PAGE + 1])
    return Page(rows[:PAGE], rows[PAGE - 1].time if len(rows) > PAGE else None)


def chart_of(sensor: Sensor, start: datetime, end: datetime) -> Outline | None:
    """The good readings of start <= time < end; None where there are none, or a chart would take too long."""
    question = Question(start, end, "auto", aggregates=("min", "avg", "max"), points=POINTS, any_quality=False)
    try:
        (series,) = history([sensor], question, datetime.now(UTC))
    except (RefusedError, TooSlowError):
        return None
    names = series["columns"]
    columns = [names.index(name if name in names else "value") for name in ("min", "avg", "max")]
    rows = [[point[0], *(point[column] for column in columns)] for point in series["points"]]
    points = [cast(Point, tuple(row)) for row in rows if None not in row]
    interval_ms = 1000 * (sensor.expected_interval_s or 0)
    return outline(points, 1000 * start.timestamp(), 1000 * end.timestamp(), interval_ms)
