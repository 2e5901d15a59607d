"""What sensors did before and after a moment, such as that of a decision, exact to the microsecond."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from plants.models import Sensor
from plants.scales import microseconds
from telemetry.queries.history.aggregates import Joined
from telemetry.queries.history.levels import base_level
from telemetry.queries.history.rollups import Span, joined


class Window(TypedDict):
    """Of the good readings of a sensor in a range of time; None where there is none."""

    readings: int  # of any quality
    percent_good: float | None
    mean: float | None
    min: float | None
    max: float | None


class Effect(TypedDict):
    sensor: UUID
    address: str
    unit: str
    before: Window
    after: Window


def effects(sensors: Sequence[Sensor], at: datetime, length: timedelta) -> list[Effect]:
    """The same length of time before the moment and from it on, in the sensors' order; two statements for all.

    Raises:
        TooSlowError: it takes longer than HISTORY_TIMEOUT_S.
    """
    if not sensors:
        return []
    numbers = [sensor.number for sensor in sensors]
    before, after = _windows(numbers, at - length, at), _windows(numbers, at, at + length)
    return [
        {
            "sensor": sensor.pk,
            "address": sensor.address,
            "unit": sensor.unit,
            "before": _window(before.get(sensor.number)),
            "after": _window(after.get(sensor.number)),
        }
        for sensor in sensors
    ]


def _windows(numbers: Sequence[int], start: datetime, end: datetime) -> dict[int, Joined]:
    edges = [int(start.timestamp()), int(end.timestamp())]  # no bucket has an edge between them
    span = Span(microseconds(start), microseconds(end), any_quality=False)
    found = joined(numbers, span, edges, base_level(edges), with_path=False)
    return {number: rows[0] for number, rows in found.items() if 0 in rows}


def _window(row: Joined | None) -> Window:
    if row is None:
        return {"readings": 0, "percent_good": None, "mean": None, "min": None, "max": None}
    return {
        "readings": row.n,
        "percent_good": 100 * row.n_good / row.n,
        "mean": row.sum / row.used if row.sum is not None and row.used else None,
        "min": row.min,
        "max": row.max,
    }
