"""Histories that hypothesis makes, and what the rollups of them must be: the contract of both flavours.

A history is a list of writes and refreshes. Readings come in any order, again, with another value, with bad quality,
days late; the reference computes each bucket from all of them at once, in plain Python.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
from hypothesis import strategies as st
from psycopg import sql

from plants.scales import GOOD
from telemetry.readings import Reading
from telemetry.storage import rollups
from telemetry.storage.buckets import DAY, HOUR, MINUTE, floor
from telemetry.tests.samples import EPOCH, us

# Summer time begins in Europe on the 29th; buckets of UTC must not care.
START = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)

REACH = timedelta(days=4)  # of a history, at most, around its start

LEVELS = {"1m": MINUTE, "1h": HOUR, "1d": DAY}
COLUMNS = "sensor, bucket, n, n_good, min, max, sum, first, last, first_at, last_at, resets, peaks, integral"
SUMS = (6, 12, 13)  # columns whose last digits depend on the order of addition

Write = list[Reading]
Refresh = datetime
History = list[Write | Refresh]
Kept = dict[tuple[int, int], tuple[float, int]]


def histories(sensors: list[int]) -> st.SearchStrategy[History]:
    """Writes of a few readings in the two days around START, with refreshes in between."""
    near = st.integers(-200, 200)  # so that many share a minute or an hour
    seconds = st.one_of(near, st.integers(-86_400, 86_400), st.integers(-40, 40).map(lambda hour: hour * 3600))
    reading = st.tuples(
        st.sampled_from(sensors),
        st.tuples(seconds, st.integers(0, 3)).map(lambda s: us(START + timedelta(seconds=s[0])) + s[1] * 250_001),
        st.one_of(st.integers(0, 9).map(float), st.floats(-1e6, 1e6)),
        st.sampled_from([GOOD, GOOD, GOOD, 255, 64, 0]),
    )
    write = st.lists(reading, min_size=1, max_size=12)
    refresh = st.integers(0, 100_000).map(lambda second: START + timedelta(seconds=second))
    return st.lists(st.one_of(write, write, refresh), min_size=1, max_size=10)


def moved(history: History, by: timedelta) -> History:
    """The same history at another time."""
    by_us = by // timedelta(microseconds=1)
    result: History = []
    for step in history:
        if isinstance(step, datetime):
            result.append(step + by)
        else:
            result.append([(sensor, time_us + by_us, value, quality) for sensor, time_us, value, quality in step])
    return result


def play(
    connection: psycopg.Connection, history: History, write: Callable[[Write], object], start: datetime = START
) -> None:
    """Does what the history says, on a database whose stored buckets end at `start`."""
    connection.execute("UPDATE rollup_state SET shown_to = %s, mark_from = %s", [start, start])
    for step in history:
        if isinstance(step, datetime):
            rollups.refresh(connection, step)
        else:
            write(step)


def keep(history: Iterable[Write | Refresh], replace: frozenset[int] = frozenset()) -> Kept:
    """What the history leaves in `reading`: the first value of each (sensor, time), or the last where so agreed."""
    kept: Kept = {}
    for step in history:
        if isinstance(step, list):
            for sensor, time_us, value, quality in step:
                if sensor in replace or (sensor, time_us) not in kept:
                    kept[sensor, time_us] = value, quality
    return kept


def expected(kept: Kept, unit: timedelta) -> list[tuple[Any, ...]]:
    """The rows of a level, by the definition of each column."""
    buckets: dict[tuple[int, datetime], list[tuple[datetime, float, int]]] = {}
    for (sensor, time_us), (value, quality) in sorted(kept.items()):
        time = EPOCH + timedelta(microseconds=time_us)
        buckets.setdefault((sensor, floor(time, unit)), []).append((time, value, quality))
    return [(*key, *_row(readings)) for key, readings in sorted(buckets.items())]


def _row(readings: list[tuple[datetime, float, int]]) -> tuple[Any, ...]:
    good = [(time, value) for time, value, quality in readings if quality >= GOOD]
    if not good:
        return (len(readings), 0, *[None] * 7, 0, None, None)
    values = [value for _, value in good]
    drops = [before for before, value in pairwise(values) if value < before]
    held = [(until - time).total_seconds() * value for (time, value), (until, _) in pairwise(good)]
    (first_at, first), (last_at, last) = good[0], good[-1]
    extremes = (min(values), max(values), math.fsum(values))
    return (len(readings), len(good), *extremes, first, last, first_at, last_at, len(drops), sum(drops), sum(held))


def assert_exact(connection: psycopg.Connection, kept: Kept, sensors: list[int], start: datetime = START) -> None:
    """The relations hold what they must of a history around `start`."""
    for level, unit in LEVELS.items():
        query = sql.SQL(
            "SELECT {} FROM {} WHERE sensor = ANY(%s) AND bucket >= %s AND bucket < %s ORDER BY sensor, bucket"
        ).format(sql.SQL(COLUMNS), sql.Identifier(f"reading_{level}"))
        rows = connection.execute(query, [sensors, start - REACH, start + REACH]).fetchall()
        assert differences(rows, expected(kept, unit)) == [], level


def differences(rows: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]) -> list[str]:
    """Where rows of a level are not what they must be, in words; both by sensor and bucket."""
    by_bucket = {row[:2]: row for row in rows}
    found = [f"{len(rows) - len(by_bucket)} buckets there twice"] if len(by_bucket) < len(rows) else []
    right = {row[:2]: row for row in wanted}
    for key in sorted(by_bucket.keys() | right.keys()):
        row, reference = by_bucket.get(key), right.get(key)
        if row is None or reference is None or not _equal(row, reference):
            found.append(f"{row} instead of {reference}")
    return found


def _equal(row: tuple[Any, ...], reference: tuple[Any, ...]) -> bool:
    return _exact_part(row) == _exact_part(reference) and all(
        reference[column] is None or math.isclose(row[column], reference[column], rel_tol=1e-9, abs_tol=1e-3)
        for column in SUMS
    )


def _exact_part(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value if column not in SUMS else value is None for column, value in enumerate(row))
