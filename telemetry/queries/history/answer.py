"""Answers a question about the past: chooses raw readings or buckets and their level, in few statements for all."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import chain
from typing import Literal, TypedDict
from uuid import UUID

import numpy as np

from plants.models import Sensor
from plants.scales import MICROSECOND, instant, microseconds
from telemetry.queries.downsample import lttb, minmax
from telemetry.queries.history.aggregates import Cell, Grid, Joined, NotGood, bad_counts, column
from telemetry.queries.history.buckets import Bucket, edges
from telemetry.queries.history.changes import MOST_CHANGES, TooManyChangesError, changes
from telemetry.queries.history.fill import FILLABLE, Fill, filled, known
from telemetry.queries.history.kinds import OF_ORDER, Agg, aggregates_of
from telemetry.queries.history.levels import base_level
from telemetry.queries.history.qualities import not_good
from telemetry.queries.history.raw import Cursor, Row, readings, those_with_few
from telemetry.queries.history.refused import RefusedError
from telemetry.queries.history.rollups import Span, joined
from telemetry.queries.history.states import Change, durations, labels

DEFAULT_POINTS = 1000
MAX_POINTS = 10_000  # of one sensor in one answer
MAX_ANSWER = 100_000  # of all sensors in one answer: a few megabytes
MAX_CHOICE = 200_000  # points of all sensors that a method chooses from: a second of work
CHOICE = 4  # points to choose one from, where auto may choose the bucket
SHORT = timedelta(days=1)  # a range of which `auto` gives single readings, if they fit: one or two partitions

# What `auto` chooses from. Those of hours and more are answered from few rows.
AUTO = tuple(
    map(
        Bucket.parse,
        [
            "1m",
            "2m",
            "5m",
            "10m",
            "15m",
            "30m",
            "1h",
            "2h",
            "3h",
            "6h",
            "12h",
            "1d",
            "1w",
            "1month",
            "3month",
            "12month",
            "120month",
        ],
    )
)

Method = Literal["lttb", "minmax"]
Point = list[Cell]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about the sensors' past; None stands for what was not asked for."""

    start: datetime
    end: datetime
    bucket: Bucket | Literal["raw", "auto"] = "raw"
    aggregates: tuple[Agg, ...] = ()
    fill: Fill = "none"
    points: int | None = None
    method: Method | None = None
    tz: tzinfo | None = None
    any_quality: bool | None = None
    cursor: Cursor | None = None

    @property
    def target(self) -> int:
        return self.points or DEFAULT_POINTS

    def span(self, *, any_by_default: bool) -> Span:
        start, end = self.start, self.end
        if self.cursor is not None:
            start = max(start, self.cursor.after + MICROSECOND)
        counts_any = any_by_default if self.any_quality is None else self.any_quality
        return Span(microseconds(start), microseconds(end), counts_any)


class Series(TypedDict):
    """A sensor's points, each a list in the order of the columns; `ts` in milliseconds since 1970 UTC."""

    sensor_id: UUID
    unit: str
    bucket: str
    columns: list[str]
    points: list[Point]
    next: str | None


def history(sensors: Sequence[Sensor], question: Question, now: datetime) -> list[Series]:
    """A series for each sensor, in their order.

    Raises:
        RefusedError: the question makes no sense, or asks for too much.
        TooSlowError: it takes longer than HISTORY_TIMEOUT_S.
    """
    if question.bucket == "raw":
        return _raw(sensors, question)
    shown = {sensor.number: aggregates_of(sensor, question.aggregates) for sensor in sensors}
    found: dict[int, Series] = {}
    may_be_raw = question.bucket == "auto" and not question.aggregates and question.fill == "none"
    if may_be_raw and question.end - question.start <= SHORT:
        found = _fitting(sensors, question)
    by_zone: defaultdict[tzinfo, list[Sensor]] = defaultdict(list)
    for sensor in sensors:
        if sensor.number not in found:
            by_zone[question.tz or sensor.machine.zone.plant.tz].append(sensor)
    for tz, those in by_zone.items():
        found.update(_bucketed(those, shown, question, tz, now))
    return [found[sensor.number] for sensor in sensors]


# --- Single readings -------------------------------------------------------------------------------------
def _raw(sensors: Sequence[Sensor], question: Question) -> list[Series]:
    span = question.span(any_by_default=True)
    numbers = [sensor.number for sensor in sensors]
    if question.method is None:
        rows = readings(numbers, span, question.target + 1)
        return [_page(sensor, rows.get(sensor.number, []), question.target) for sensor in sensors]
    rows = readings(numbers, span, MAX_CHOICE + 1, most=MAX_CHOICE + 1)
    if sum(map(len, rows.values())) > MAX_CHOICE:
        raise RefusedError(
            "method",
            f"There are more than {MAX_CHOICE:,} readings to choose from: take a shorter range, or bucket=auto.",
        )
    series = [_page(sensor, rows.get(sensor.number, []), MAX_CHOICE) for sensor in sensors]
    for each in series:
        each["points"] = _chosen(each["points"], question.method, question.target)
    return series


def _fitting(sensors: Sequence[Sensor], question: Question) -> dict[int, Series]:
    """The raw readings of those sensors that have no more of them than points are asked for."""
    span = question.span(any_by_default=True)
    few = those_with_few([sensor.number for sensor in sensors], span, question.target)
    rows = readings(sorted(few), span, question.target)
    return {
        sensor.number: _page(sensor, rows.get(sensor.number, []), question.target)
        for sensor in sensors
        if sensor.number in few
    }


def _page(sensor: Sensor, rows: list[Row], limit: int) -> Series:
    return {
        "sensor_id": sensor.pk,
        "unit": sensor.unit,
        "bucket": "raw",
        "columns": ["ts", "value", "quality"],
        "points": [
            [time / 1000 if time % 1000 else time // 1000, value, quality] for time, value, quality in rows[:limit]
        ],
        "next": str(Cursor(instant(rows[limit - 1][0]))) if len(rows) > limit else None,
    }


# --- Buckets ---------------------------------------------------------------------------------------------
def _bucketed(
    sensors: Sequence[Sensor], shown: dict[int, Sequence[Agg]], question: Question, tz: tzinfo, now: datetime
) -> dict[int, Series]:
    """Series of sensors whose buckets are the same."""
    bucket, bounds = _grid(question, tz, len(sensors))
    span = question.span(any_by_default=False)
    grid = Grid([span.start / 1e6, *bounds[1:-1], span.end / 1e6], now.timestamp())
    numbers = [sensor.number for sensor in sensors]
    of_states = [sensor.number for sensor in sensors if "duration" in shown[sensor.number]]
    if of_states and question.method:
        raise RefusedError("method", "A method draws a line, and durations of states are none.")
    wanted = set(chain.from_iterable(shown.values()))
    rows: dict[int, dict[int, Joined]] = {}
    if wanted - {"duration"}:
        with_path = not wanted.isdisjoint(OF_ORDER) or question.fill == "previous"
        rows = joined(numbers, span, bounds, base_level(bounds), with_path=with_path)
    try:
        states = changes(of_states, span) if of_states else {}
    except TooManyChangesError:
        raise RefusedError(
            "start", f"The states change more than {MOST_CHANGES:,} times: take a shorter range."
        ) from None
    lesser = not_good(numbers, span, bounds) if "count_bad" in wanted else {}
    found: dict[int, Series] = {}
    for sensor in sensors:
        own = rows.get(sensor.number, {}), states, lesser.get(sensor.number, {})
        columns = _columns(sensor, shown[sensor.number], *own, grid, question.fill)
        found[sensor.number] = {
            "sensor_id": sensor.pk,
            "unit": sensor.unit,
            "bucket": str(bucket),
            "columns": ["ts", *(name for name, _ in columns)],
            "points": _points([edge * 1000 for edge in bounds[:-1]], columns, question),
            "next": None,
        }
    return found


def _grid(question: Question, tz: tzinfo, sensors: int) -> tuple[Bucket, list[int]]:
    """The bucket that was asked for, or that `auto` chooses, and the edges of all buckets in the range."""
    start = microseconds(question.start) // 1_000_000
    end = -(-microseconds(question.end) // 1_000_000)
    if question.bucket == "auto":
        most = min(question.target * (CHOICE if question.method else 1), MAX_CHOICE // sensors)
        for bucket in AUTO:
            if (end - start) / bucket.about_s < 2 * most:
                found = edges(bucket, start, end, tz)
                if len(found) - 1 <= most:
                    return bucket, found
        raise RefusedError("points", "A range may lie on both sides of an edge: ask for 2 points at least.")
    assert isinstance(question.bucket, Bucket)
    field, most = "bucket", min(MAX_POINTS, MAX_ANSWER // sensors)
    if question.method:
        most = MAX_CHOICE // sensors
    elif question.points and question.points < most:
        field, most = "points", question.points
    found = []
    if (end - start) / question.bucket.about_s < 2 * most:
        found = edges(question.bucket, start, end, tz)
    if not 0 < len(found) - 1 <= most:
        raise RefusedError(
            field,
            f"The range has more than {most:,} buckets of {question.bucket}: take larger ones, or bucket=auto, "
            "or a shorter range.",
        )
    return question.bucket, found


def _columns(
    sensor: Sensor,
    shown: Iterable[Agg],
    rows: dict[int, Joined],
    states: dict[int, list[Change]],
    lesser: dict[int, NotGood],
    grid: Grid,
    fill: Fill,
) -> list[tuple[str, list[Cell]]]:
    """Name and cells of each column."""
    before = rows.get(-1)
    within = {i: row for i, row in rows.items() if i >= 0}
    columns: list[tuple[str, list[Cell]]] = []
    for agg in shown:
        if agg == "duration":
            of_sensor = states.get(sensor.number, [])
            named = labels(sensor.states, of_sensor)
            columns.extend(zip(named.values(), durations(of_sensor, grid, list(named)), strict=True))
            continue
        if agg == "count_bad":
            columns.append((agg, bad_counts(within, lesser, grid)))
            continue
        cells = column(agg, within, grid, before, sensor.kind, sensor.rollover_at)
        if agg in FILLABLE:
            cells = filled(cells, fill, grid, before.last if before is not None and before.used else None)
        columns.append((agg, cells))
    return columns


def _points(times: list[int], columns: list[tuple[str, list[Cell]]], question: Question) -> list[Point]:
    points = [list(cells) for cells in zip(times, *(cells for _, cells in columns), strict=True)]
    if question.fill == "none":
        names = [name for name, _ in columns]
        points = [points[i] for i in known([cells for _, cells in columns], names)]
    return _chosen(points, question.method, question.target) if question.method else points


# --- Both ------------------------------------------------------------------------------------------------
def _chosen(points: list[Point], method: Method, limit: int) -> list[Point]:
    """Fewer points, by the shape of the first column; those without a value there are left out."""
    points = [point for point in points if point[1] is not None]
    if len(points) <= limit:
        return points
    y = np.array([point[1] for point in points], np.float64)
    if method == "minmax":
        return [points[i] for i in minmax(y, limit)]
    x = np.array([point[0] for point in points], np.float64)
    return [points[i] for i in lttb(x, y, limit)]
