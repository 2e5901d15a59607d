"""Drops raw readings that are older than is kept, whole days at a time, and never before the rollups have them.

A day goes when all of it is older than RAW_RETENTION_DAYS and a day more, when the stored buckets reach past it
(`rollup_state.shown_to`) and no late reading of it waits to be counted in (`rollup_dirty`). A recomputation that ran
after the day is gone would put nothing in the place of what was right, so what may go is decided again in the
transaction that drops it, while nobody writes.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection, errors

from telemetry.storage import flavour
from telemetry.storage.days import RawDay, start_of
from telemetry.storage.rollups import ROLLUP_LOCK

# What ingest accepts reaches back to now − RAW_RETENTION_DAYS. The day more is for batches that wait out a long
# failure of the database, for clocks that differ, and for what a refresh leaves to the next one (rollups.SETTLE).
MARGIN = timedelta(days=1)

# Whoever reads or writes `reading` waits behind us while we wait, so we give way at once and come again.
LOCK_TIMEOUT = "200ms"
TRIES = 100
LONGEST_PAUSE_S = 5.0  # 8 minutes in all: longer than a report runs; and no longer than a worker takes to end

STATE = """
SELECT shown_to, ARRAY(SELECT DISTINCT (hour AT TIME ZONE 'UTC')::date FROM rollup_dirty),
       to_regclass('reading_hypertable') IS NOT NULL
FROM rollup_state
"""
COUNTS = """
SELECT (bucket AT TIME ZONE 'UTC')::date, sum(n)::bigint FROM reading_1d
WHERE bucket >= %s AND bucket < %s GROUP BY bucket
"""


class Held(NamedTuple):
    """A day that is old enough and stays, and why."""

    day: date
    reason: str


class Plan(NamedTuple):
    """The days that may go, oldest first, and those that are old enough but may not yet."""

    going: list[RawDay]
    held: list[Held]


class Dropped(NamedTuple):
    """Days that went, and what they took on disk; days that could not go yet."""

    days: list[date]
    bytes: int
    held: list[Held]


class BusyError(Exception):
    """Somebody reads or writes for so long that a day could not be dropped; the next try may."""


def last_to_keep(now: datetime, keep_days: int) -> datetime:
    """What ends at or before this moment, a UTC midnight, is older than is kept."""
    kept = now.astimezone(UTC) - timedelta(days=keep_days) - MARGIN
    return start_of(kept.date())


def sort_out(
    days: Iterable[RawDay], before: datetime, shown_to: datetime, marked: Iterable[date], converting: bool = False
) -> Plan:
    """Which of these days may go, where nothing is kept from before `before`. Pure."""
    waiting = set(marked)
    plan = Plan([], [])
    for day in sorted(days):
        if day.end > before:
            continue
        if converting:  # convert.py: its continuous aggregates begin with the first day there is
            plan.held.append(Held(day.day, "the conversion to TimescaleDB is not done"))
        elif day.day in waiting:
            plan.held.append(Held(day.day, "late readings of it are not in the rollups yet"))
        elif day.end > shown_to:
            plan.held.append(Held(day.day, "it is not in the rollups yet"))
        else:
            plan.going.append(day)
    return plan


def plan(connection: Connection, now: datetime, keep_days: int) -> Plan:
    """What `enforce` would do now."""
    before = last_to_keep(now, keep_days)
    return sort_out(flavour(connection).raw_days(connection, before), before, *_state(connection))


def readings_by_day(connection: Connection, days: Iterable[RawDay]) -> dict[date, int]:
    """How many readings lie in each of these days: exact, from the rollups, which is why `plan` lets no others go."""
    days = list(days)
    if not days:
        return {}
    bounds = [min(start_of(each.day) for each in days), max(each.end for each in days)]
    counted: dict[date, int] = dict(connection.execute(COUNTS, bounds).fetchall())
    return {each.day: counted.get(each.day, 0) for each in days}


def enforce(connection: Connection, now: datetime, keep_days: int) -> Dropped:
    """Drops what is older than is kept, a day in a transaction.

    Raises:
        BusyError: some days are dropped and some are not, because others held locks all the time.
    """
    going, held = plan(connection, now, keep_days)
    dropped, size = [], 0
    for day in going:
        if _drop(connection, day):
            dropped.append(day.day)
            size += day.bytes
        else:
            held.append(Held(day.day, "late readings of it came in just now"))
    return Dropped(dropped, size, held)


def _drop(connection: Connection, day: RawDay) -> bool:
    """Whether the day is gone; False if in the meantime it may not go any more."""
    for pause_s in _pauses():
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                # Writers hold it shared until their commit: from here on there is none, and all marks are seen.
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [ROLLUP_LOCK])
                if not sort_out([day], day.end, *_state(connection)).going:
                    return False
                flavour(connection).drop_day(connection, day)
                connection.execute("UPDATE rollup_state SET raw_from = greatest(raw_from, %s)", [day.end])
            return True
        except errors.LockNotAvailable:
            time.sleep(pause_s)
    raise BusyError(f"Readings of {day.day} could not be dropped: others hold locks on them.")


def _pauses() -> Iterator[float]:
    pause_s = 0.1
    for _ in range(TRIES):
        yield pause_s
        pause_s = min(LONGEST_PAUSE_S, pause_s * 2)


def _state(connection: Connection) -> tuple[datetime, list[date], bool]:
    """Up to where buckets are stored, the days with late readings that are not in them, whether a conversion runs."""
    row: Any = connection.execute(STATE).fetchone()
    return row[0], row[1], row[2]
