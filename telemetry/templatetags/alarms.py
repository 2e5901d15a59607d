"""Severity shapes and what is said of them, and links of the list of alarms."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID

from django import template

from telemetry import attention
from telemetry.alarm_filter import AlarmFilter, Place
from telemetry.alarm_rows import AlarmCounts, AlarmRow, PlantAlarms, Severity, Standing, count_rows, no_alarms
from telemetry.attention import Worst
from telemetry.formats import format_number
from telemetry.live_page import milliseconds
from telemetry.queries.trend_alarms import Episode

register = template.Library()

STANDING_WORDS: dict[Standing, str] = {
    "raised": "not acknowledged",
    "acknowledged": "acknowledged",
    "cleared": "cleared, not acknowledged",
    "shelved": "shelved",
    "closed": "closed",
}
# Where the letter stands in a shape 20 high: the middle of a triangle is lower than that of a square.
LETTER_BASES: dict[Severity, float] = {"critical": 13.6, "high": 15.4, "medium": 13.1, "low": 13.6}


@register.filter
def standing_words(standing: Standing) -> str:
    return STANDING_WORDS[standing]


@register.filter
def letter_base(severity: Severity) -> float:
    return LETTER_BASES[severity]


@register.filter
def figure(value: float) -> str:
    """`12`, or `0.4` where a tenth says something."""
    return format_number(value, 0 if value == int(value) or value >= 10 else 1)


@register.filter
def severity_link(filter: AlarmFilter, severity: Severity) -> str:
    return filter.link_of(severity)


@register.simple_tag
def alarms_filtered(filter: AlarmFilter, before: Place | None = None, **changes: str) -> str:
    """The query of a link that changes the filter, and of the page behind a place."""
    place = {"before": str(before)} if before else {}
    return f"?{urlencode(filter.query(**changes) | place)}"


@register.filter
def of_plant(alarms: PlantAlarms, slug: str) -> AlarmCounts:
    return alarms.of(slug)


@register.filter
def of_slug(rows: Mapping[str, AlarmRow], slug: str) -> AlarmRow | None:
    return rows.get(slug)


@register.filter
def of_zone(counts: Mapping[UUID, AlarmCounts], zone: UUID) -> AlarmCounts:
    return counts.get(zone) or no_alarms()


@register.filter
def outranks(row: AlarmRow | None, worst: Worst | None) -> bool:
    """Whether a plant's worst alarm is worse than all that is not as expected."""
    return row is not None and attention.outranks(row.severity, worst.concern if worst else None)


@register.filter
def counted(rows: Sequence[AlarmRow]) -> AlarmCounts:
    return count_rows(rows)


@register.filter
def episode_data(found: Sequence[Episode]) -> str:
    """JSON for the strip above a trend: number of the sensor, ms since 1970 of begin and end, severity, standing."""
    rows = []
    for sensor, start, end, row in ((each.sensor, each.start, each.end, each.row) for each in found):
        rows.append((sensor, milliseconds(start), end and milliseconds(end), row.severity, row.standing))
    return json.dumps(rows)
