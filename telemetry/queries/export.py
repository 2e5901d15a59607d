"""Readings and buckets as files of any size: CSV or NDJSON, a row a reading (long) or a column a sensor (wide).

No query is ever about all of it. Long files go sensor by sensor, and each sensor's time in spans that the primary key
gives in order; wide files go by spans for all sensors, so that only a span is sorted. Spans grow and shrink with what
they hold. Each is a statement of its own: an export of hours keeps no snapshot from being cleaned up and no
partition from being dropped, and has what was committed when it came to a span.
"""

import csv
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from typing import Literal, NamedTuple

import psycopg
from psycopg import sql

from plants.scales import GOOD
from telemetry.queries.copy_out import copy_out

Format = Literal["csv", "ndjson"]
Shape = Literal["long", "wide"]
Bucket = Literal["raw", "1m", "1h", "1d"]

SPAN_READINGS = 50_000  # of a span, at least, before the next is larger; a span holds four times as many at most
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=400)
# The first span holds few readings also where there are many, so that the first rows come at once.
FIRST_SPAN: dict[Bucket, timedelta] = {
    "raw": timedelta(hours=1),
    "1m": timedelta(days=1),
    "1h": timedelta(days=30),
    "1d": LONGEST,
}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets calculate when a cell begins with it

LONG_COLUMNS = ["address", "timestamp", "value", "unit", "quality"]
BUCKET_COLUMNS = ["address", "timestamp", "unit", "n", "n_good", "min", "max", "avg", "sum", "first", "last"]
AGGREGATES = {
    "avg": "sum / nullif(n_good, 0)",
    "min": "min",
    "max": "max",
    "sum": "sum",
    "count": "n_good",
    "first": "first",
    "last": "last",
}

# to_json is the quickest way to an ISO 8601 time that PostgreSQL has; in UTC it ends with +00:00.
TIMESTAMP = "left(to_json({time}) #>> '{{}}', -6) || 'Z'"
# The control characters occur in no JSON, so that CSV quotes nothing and lines come as they are.
OPTIONS: dict[Format, str] = {
    "csv": "FORMAT CSV",
    "ndjson": r"FORMAT CSV, DELIMITER E'\x01', QUOTE E'\x02', ESCAPE E'\x02'",
}


class ExportedSensor(NamedTuple):
    number: int
    address: str
    unit: str


@dataclass(frozen=True, slots=True)
class Export:
    """What is wanted: start <= time < end, without them everything. `aggregate` is for wide buckets."""

    sensors: tuple[ExportedSensor, ...]
    start: datetime | None = None
    end: datetime | None = None
    format: Format = "csv"
    shape: Shape = "long"
    bucket: Bucket = "raw"
    aggregate: str = "avg"
    good_only: bool = False


async def exported(connection: psycopg.AsyncConnection, export: Export) -> AsyncGenerator[bytes, None]:
    """The file in pieces of some 64 KB, each of whole lines.

    Args:
        connection: of `export_connection`.
    """
    if export.format == "csv":
        yield csv_head(export).encode()
    together = [export.sensors] if export.shape == "wide" else [(sensor,) for sensor in export.sensors]
    for sensors in together:
        extent = await _extent(connection, export, sensors)
        if extent is None:
            continue
        at, end = extent
        span = FIRST_SPAN[export.bucket]
        while at < end:
            until = at + min(span, end - at)
            rows = 0
            async with aclosing(copy_out(connection, statement(export, sensors, at, until))) as blocks:
                async for block in blocks:
                    rows += block.rows
                    if block.data:
                        yield block.data
            at, span = until, next_span(span, rows * len(sensors))


def next_span(span: timedelta, readings: int) -> timedelta:
    """How much time the next query is about, after one with so many readings."""
    if readings < SPAN_READINGS:
        return min(LONGEST, span * 2)
    if readings > 2 * SPAN_READINGS:
        return max(SHORTEST, span / 2)
    return span


def text_cell(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_head(export: Export) -> str:
    names = BUCKET_COLUMNS if export.bucket != "raw" else LONG_COLUMNS
    if export.shape == "wide":
        names = ["timestamp", *(sensor.address for sensor in export.sensors)]
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(names)
    return line.getvalue()


def statement(export: Export, sensors: tuple[ExportedSensor, ...], start: datetime, end: datetime) -> sql.Composed:
    """The COPY of these sensors' rows with start <= time < end, in the order of their time."""
    time = _time(export)
    columns = _wide(export, sensors) if export.shape == "wide" else _long(export, sensors[0])
    conditions = [
        sql.SQL("sensor = {}").format(sensors[0].number)
        if len(sensors) == 1
        else sql.SQL("sensor = ANY({}::int[])").format([sensor.number for sensor in sensors]),
        sql.SQL("{} >= {}").format(time, start),
        sql.SQL("{} < {}").format(time, end),
    ]
    if export.good_only and export.bucket == "raw":
        conditions.append(sql.SQL("quality >= {}").format(GOOD))
    selected = _cells(columns) if export.format == "csv" else _json(columns)
    return sql.SQL("COPY (SELECT {} FROM {} WHERE {} {} ORDER BY {}) TO STDOUT ({})").format(
        selected,
        _relation(export),
        sql.SQL(" AND ").join(conditions),
        sql.SQL("GROUP BY {}").format(time) if export.shape == "wide" else sql.SQL(""),
        time,
        sql.SQL(OPTIONS[export.format]),
    )


def _relation(export: Export) -> sql.Identifier:
    return sql.Identifier("reading" if export.bucket == "raw" else f"reading_{export.bucket}")


def _time(export: Export) -> sql.Identifier:
    return sql.Identifier("time" if export.bucket == "raw" else "bucket")


def _timestamp(export: Export) -> sql.Composed:
    return sql.SQL(TIMESTAMP).format(time=_time(export))


Column = sql.Composable | str  # an expression, or a text that is the same in all rows


def _long(export: Export, sensor: ExportedSensor) -> dict[str, Column]:
    """The columns of long rows by name."""
    columns: dict[str, Column] = {
        "address": sensor.address,
        "timestamp": _timestamp(export),
        "unit": sensor.unit,
        "avg": sql.SQL(AGGREGATES["avg"]),
    }
    names = LONG_COLUMNS if export.bucket == "raw" else BUCKET_COLUMNS
    return {name: columns.get(name, sql.Identifier(name)) for name in names}


def _wide(export: Export, sensors: tuple[ExportedSensor, ...]) -> dict[str, Column]:
    """The columns of wide rows by name: of a sensor and a time there is one row, so that max() is just it."""
    value = sql.SQL("value" if export.bucket == "raw" else AGGREGATES[export.aggregate])
    cells = {
        sensor.address: sql.SQL("max({}) FILTER (WHERE sensor = {})").format(value, sensor.number) for sensor in sensors
    }
    return {"timestamp": _timestamp(export), **cells}


def _cells(columns: dict[str, Column]) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.Literal(text_cell(column)) if isinstance(column, str) else column for column in columns.values()
    )


def _json(columns: dict[str, Column]) -> sql.Composed:
    """One text: an object of the columns."""
    parts: list[sql.Composable] = []
    for name, column in columns.items():
        parts.append(sql.Literal(f"{',' if parts else '{'}{json.dumps(name)}:"))
        if isinstance(column, str):
            parts.append(sql.Literal(json.dumps(column, ensure_ascii=False)))
        else:
            parts.append(sql.SQL("coalesce(to_json({})::text, 'null')").format(column))
    parts.append(sql.Literal("}"))
    return sql.SQL(" || ").join(parts)


async def _extent(
    connection: psycopg.AsyncConnection, export: Export, sensors: tuple[ExportedSensor, ...]
) -> tuple[datetime, datetime] | None:
    """The [start, end) within what is wanted in which these sensors have anything; None where there is nothing."""
    numbers = [sensor.number for sensor in sensors]
    since, until = export.start or "-infinity", export.end or "infinity"
    if export.bucket == "raw":
        query, unit = RAW_EXTENT, timedelta(microseconds=1)
    else:
        query, unit = BUCKET_EXTENT, timedelta(days=1)
    parameters = {"sensors": numbers, "since": since, "until": until}
    row = await (await connection.execute(query, parameters)).fetchone()
    assert row is not None
    first, last = row
    if first is None:
        return None
    return max(first, export.start or first), min(last + unit, export.end or last + unit)


# The primary key finds each sensor's first and last reading.
RAW_EXTENT = """
SELECT min(first.time), max(last.time) FROM unnest(%(sensors)s::int[]) AS wanted (sensor)
CROSS JOIN LATERAL (
    SELECT time FROM reading
    WHERE sensor = wanted.sensor AND time >= %(since)s::timestamptz AND time < %(until)s::timestamptz
    ORDER BY time LIMIT 1
) AS first
CROSS JOIN LATERAL (
    SELECT time FROM reading
    WHERE sensor = wanted.sensor AND time >= %(since)s::timestamptz AND time < %(until)s::timestamptz
    ORDER BY time DESC LIMIT 1
) AS last
"""
# The days say roughly where the finer buckets lie, and are few.
BUCKET_EXTENT = """
SELECT min(bucket), max(bucket) FROM reading_1d
WHERE sensor = ANY(%(sensors)s::int[])
  AND bucket > %(since)s::timestamptz - interval '1 day' AND bucket < %(until)s::timestamptz
"""
