"""Export as queries: spans, order without a sort, buckets, failures in the middle."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from asgiref.sync import async_to_sync
from psycopg import sql

from plants.models import Plant, Sensor
from plants.scales import BAD, GOOD
from telemetry.queries import export as queries
from telemetry.queries.copy_out import copy_out, export_connection
from telemetry.queries.export import (
    LONGEST,
    SHORTEST,
    SPAN_READINGS,
    Bucket,
    Export,
    ExportedSensor,
    exported,
    next_span,
    statement,
)
from telemetry.tests.samples import TEMP, store_series, us, write

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 11, 20, 22, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    return Sensor.objects.named([TEMP]).get()


def of(*sensors: Sensor) -> tuple[ExportedSensor, ...]:
    return tuple(ExportedSensor(sensor.number, sensor.address, sensor.unit) for sensor in sensors)


def run(export: Export) -> bytes:
    async def collect() -> bytes:
        async with export_connection() as connection:
            return b"".join([piece async for piece in exported(connection, export)])

    return async_to_sync(collect)()


def cells(export: Export) -> list[list[str]]:
    return [line.split(",") for line in run(export).decode().splitlines()]


@pytest.mark.parametrize("span", [SECOND / 2, 7 * SECOND, HOUR])
@pytest.mark.parametrize("shape", ["long", "wide"])
def test_it_gives_every_reading_once_whatever_the_spans(
    temp: Sensor, span: timedelta, shape: queries.Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "FIRST_SPAN", {"raw": span})
    monkeypatch.setattr(queries, "next_span", lambda span, _: span)
    values = [(START + i * SECOND / 2, float(i)) for i in range(50)]
    store_series(TEMP, values)
    column = 1 if shape == "wide" else 2
    found = [float(row[column]) for row in cells(Export(of(temp), shape=shape))[1:]]
    assert found == [value for _, value in values]


def test_it_gives_whole_lines_in_each_piece(temp: Sensor) -> None:
    store_series(TEMP, [(START + i * SECOND, i / 7) for i in range(5000)])

    export = Export(of(temp), format="ndjson")

    async def pieces() -> list[bytes]:
        async with export_connection() as connection:
            return [piece async for piece in exported(connection, export)]

    found = async_to_sync(pieces)()
    assert len(found) > 2
    assert all(piece.startswith(b"{") and piece.endswith(b"}\n") for piece in found)
    assert b"".join(found).count(b"\n") == 5000


@pytest.mark.parametrize(
    ("readings", "factor"),
    [(0, 2.0), (SPAN_READINGS - 1, 2.0), (SPAN_READINGS, 1.0), (2 * SPAN_READINGS, 1.0), (2 * SPAN_READINGS + 1, 0.5)],
)
def test_it_fits_the_span_to_what_it_holds(readings: int, factor: float) -> None:
    assert next_span(HOUR, readings) == HOUR * factor


def test_it_keeps_spans_within_bounds() -> None:
    assert next_span(LONGEST, 0) == LONGEST
    assert next_span(SHORTEST, 10**9) == SHORTEST


def test_it_needs_no_sort_for_a_long_file(temp: Sensor) -> None:
    """The days follow each other in the plan, and each comes from its primary key."""
    store_series(TEMP, [(START + i * HOUR, float(i)) for i in range(200)])
    copy = statement(Export(of(temp)), of(temp), START, START + 9 * DAY)

    async def plan() -> str:
        async with export_connection() as connection:
            select = copy.as_string(connection).removeprefix("COPY (").removesuffix(") TO STDOUT (FORMAT CSV)")
            await connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
            rows = await (await connection.execute(sql.SQL("EXPLAIN ") + sql.SQL(select))).fetchall()
            return "\n".join(line for (line,) in rows)

    found = async_to_sync(plan)()
    assert "Sort" not in found
    assert found.count("Index Scan") == 10


@pytest.mark.parametrize(("bucket", "starts"), [("1m", 3), ("1h", 2), ("1d", 2)])
def test_it_gives_buckets(temp: Sensor, bucket: Bucket, starts: int) -> None:
    minutes = [START, START + 20 * SECOND, START + 70 * SECOND, START + 3 * HOUR]
    write([(temp.number, us(time), float(value), GOOD) for value, time in enumerate(minutes)])
    write([(temp.number, us(START) + 1, 1000.0, BAD)])
    head, *rows = cells(Export(of(temp), bucket=bucket))
    assert head == ["address", "timestamp", "unit", "n", "n_good", "min", "max", "avg", "sum", "first", "last"]
    assert len(rows) == starts
    assert sum(int(row[3]) for row in rows) == 5
    if bucket == "1h":
        assert rows[0] == [TEMP, "2026-11-20T22:00:00Z", "°C", "4", "3", "0", "2", "1", "3", "0", "2"]


def test_it_gives_buckets_from_start_to_before_the_end(temp: Sensor) -> None:
    store_series(TEMP, [(START + i * HOUR, float(i)) for i in range(6)])
    export = Export(of(temp), START + HOUR, START + 3 * HOUR, bucket="1h", format="ndjson")
    assert run(export).count(b'"n":1') == 2


def test_it_leaves_the_cells_of_buckets_without_good_readings_empty(temp: Sensor) -> None:
    write([(temp.number, us(START), 1.0, BAD)])
    [_, row] = cells(Export(of(temp), bucket="1d"))
    assert row[3:] == ["1", "0", "", "", "", "", "", ""]


@pytest.mark.parametrize(("aggregate", "value"), [("avg", "1.5"), ("max", "2"), ("count", "2"), ("first", "1")])
def test_it_gives_one_aggregate_of_each_sensor_in_a_wide_file(temp: Sensor, aggregate: str, value: str) -> None:
    store_series(TEMP, [(START, 1.0), (START + SECOND, 2.0)])
    rpm = store_series("kandy/rolling/roller-2/rpm", [(START + HOUR, 7.0)])
    rows = cells(Export(of(temp, rpm), shape="wide", bucket="1h", aggregate=aggregate))
    assert rows[1] == ["2026-11-20T22:00:00Z", value, ""]
    assert rows[2][:2] == ["2026-11-20T23:00:00Z", ""]


def test_it_fails_when_the_server_fails_after_some_rows(temp: Sensor) -> None:
    """Not only where the query begins: an end in the middle must not look like the end."""
    seen = 0
    copy = sql.SQL("COPY (SELECT 1 / (100000 - i) FROM generate_series(1, 200000) AS i) TO STDOUT").format()

    async def read() -> None:
        nonlocal seen
        async with export_connection() as connection, aclosing(copy_out(connection, copy)) as blocks:
            async for block in blocks:
                seen += block.rows

    with pytest.raises(psycopg.errors.DivisionByZero):
        async_to_sync(read)()
    assert 0 < seen < 100_000


def test_it_can_ask_again_on_the_same_connection(temp: Sensor) -> None:
    copy = sql.SQL("COPY (SELECT 1) TO STDOUT").format()

    async def read() -> Sequence[bytes]:
        async with export_connection() as connection:
            return [block.data for _ in range(3) async for block in copy_out(connection, copy) if block.rows]

    assert async_to_sync(read)() == [b"1\n"] * 3


def test_it_cancels_the_query_when_it_is_left(temp: Sensor) -> None:
    copy = sql.SQL("COPY (SELECT i, pg_sleep(0.001) FROM generate_series(1, 10000000) AS i) TO STDOUT").format()

    async def leave() -> str:
        async with export_connection() as connection:
            async with aclosing(copy_out(connection, copy)) as blocks:
                async for _ in blocks:
                    break
            row = await (await connection.execute("SELECT 'still here'")).fetchone()
            assert row is not None
            return str(row[0])

    assert async_to_sync(leave)() == "still here"
