"""Severity shapes and what is said of them."""

from django import template

from telemetry.alarm_rows import AlarmFilter, Severity, Standing
from telemetry.formats import format_number

register = template.Library()

STANDING_WORDS: dict[Standing, str] = {
    "raised": "not acknowledged",
    "acknowledged": "acknowledged",
    "cleared": "cleared, not acknowledged",
    "shelved": "shelved",
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
    return filter.link(severity)
