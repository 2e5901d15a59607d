"""The limits that rules set to sensors, as trends draw them."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from alarms.models import WORST_FIRST, Rule
from plants.models import Sensor
from telemetry.formats import format_number

# As on a panel of a machine: the abbreviations of ISA-5.1.
MARKS = {Rule.Kind.HIGH_HIGH: "HH", Rule.Kind.HIGH: "H", Rule.Kind.LOW: "L", Rule.Kind.LOW_LOW: "LL"}
OVER = {Rule.Kind.HIGH_HIGH, Rule.Kind.HIGH}


class Limit(NamedTuple):
    value: float
    mark: str
    severity: str
    words: str  # "High, over 85"


def limits_of(sensors: Sequence[Sensor]) -> dict[UUID, list[Limit]]:
    """By sensor, those of rules that are switched on, the worst first; one query. Sensors have machine and zone."""
    applying = Rule.objects.applying_to(Sensor.objects.filter(pk__in=[each.pk for each in sensors]))
    rules = applying.filter(is_enabled=True, kind__in=MARKS)
    found: dict[UUID, set[Limit]] = {each.pk: set() for each in sensors}
    for rule in rules:
        for sensor in sensors:
            if rule.applies_to(sensor) and rule.setpoint is not None:
                found[sensor.pk].add(_limit(rule, rule.setpoint, sensor))
    return {pk: sorted(limits, key=_order) for pk, limits in found.items()}


def _limit(rule: Rule, setpoint: float, sensor: Sensor) -> Limit:
    number = format_number(setpoint, 0 if setpoint == int(setpoint) else sensor.decimals)
    side = "over" if rule.kind in OVER else "under"
    return Limit(setpoint, MARKS[Rule.Kind(rule.kind)], rule.severity, f"{rule.get_kind_display()}, {side} {number}")


def _order(limit: Limit) -> tuple[int, float]:
    return WORST_FIRST.index(limit.severity), limit.value
