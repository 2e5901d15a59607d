"""Stage 6 of 8 — store: one transaction for readings, what depends on them, and what could not become one.

Only readings that are new go on from `reading` (insert.py) to `latest`, to the marks for rollups, and to the rules
(stage 7, alarms/evaluate.py); letters (inbox.py), ledger (ledger.py) and samples of unknown sensors (quarantine.py) are
written beside them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import errors

from alarms.evaluate import evaluate
from alarms.quick import Before, Rows
from alarms.rule_set import Rules
from plants.scales import BAD, instant
from telemetry.ingest import inbox, insert, quarantine
from telemetry.ingest.columns import Columns, columns
from telemetry.ingest.insert import Fates, NotAllCopiedError, Way, is_missing_day, is_refusal_of_a_row
from telemetry.ingest.ledger import Kind, Ledger, Receipt
from telemetry.ingest.letters import Letter, Quota, letter_of_reading
from telemetry.ingest.quarantine import Room
from telemetry.readings import Reading, Reason, Rejected, Sample
from telemetry.storage import connection_params, flavour
from telemetry.storage.rollups import begin_writing, leave_marks

CANCEL_WITHIN_S = 2.0
DAY_US = 86_400_000_000

# Rows come in the order of their sensor, so that two processes never wait for each other in a circle. What was the
# latest is kept in the row: no other way tells it as it was at the moment when the row was locked.
UPSERT_LATEST = """
WITH new AS (
    SELECT sensor, '1970-01-01Z'::timestamptz + time_us * interval '1 microsecond' AS time, value, quality
    FROM unnest(%s::int[], %s::bigint[], %s::float8[], %s::int2[]) AS new (sensor, time_us, value, quality)
), advanced AS (
    INSERT INTO latest AS l (sensor, time, value, quality, received_at)
    SELECT sensor, time, value, quality, statement_timestamp() FROM new
    ON CONFLICT (sensor) DO UPDATE
    SET time = excluded.time, value = excluded.value, quality = excluded.quality, received_at = excluded.received_at,
        before_time = l.time, before_value = l.value, before_quality = l.quality
    WHERE l.time <= excluded.time
    RETURNING sensor, before_time, before_value, before_quality
)
SELECT advanced.sensor IS NOT NULL, (extract(epoch FROM before_time) * 1000000)::bigint, before_value, before_quality
FROM new LEFT JOIN advanced USING (sensor) ORDER BY sensor
"""

ADDRESSES = """
SELECT sensor.number, concat_ws('/', plant.slug, zone.slug, machine.slug, sensor.slug)
FROM plants_sensor AS sensor
JOIN plants_machine AS machine ON machine.id = sensor.machine_id
JOIN plants_zone AS zone ON zone.id = machine.zone_id
JOIN plants_plant AS plant ON plant.id = zone.plant_id
WHERE sensor.number = ANY(%s)
"""
NEVER, ALWAYS = -(2**63), 2**63 - 1  # before and after all times, in µs
NO_LATEST = Before(np.array([], np.int32), np.array([], np.int64), np.array([], np.float64), np.array([], np.int16))
NO_REASONS: Mapping[str, int] = {}


def connect() -> psycopg.Connection:
    """A connection to the database of the settings, in which transactions are opened by name."""
    return psycopg.connect(**connection_params(), autocommit=True)


class Stored(NamedTuple):
    """What became of a batch's readings: stored + duplicate + conflict + len(refused) is their number.

    `late`, among the stored, are those older than their sensor's latest was. `refused` says by their place in the batch
    why the database wants none of some. `newest` are those that are now their sensor's latest.
    """

    stored: int
    duplicate: int
    conflict: int
    late: int
    refused: dict[int, Rejected]
    newest: list[Reading]


NOTHING = Stored(0, 0, 0, 0, {}, [])


def newest_of_each(rows: Columns) -> Columns:
    """The newest row of each sensor, by sensor; of equal times the last in order."""
    order = np.lexsort((rows.time_us, rows.sensor))  # stable: equal keys keep their order
    by_sensor = rows.sensor[order]
    is_last = np.append(by_sensor[1:] != by_sensor[:-1], True)
    return rows.take(order[is_last])


class Load(NamedTuple):
    """What goes into one transaction."""

    rows: Columns
    letters: Sequence[Letter]
    receipts: Sequence[Receipt]
    unknown: Sequence[Sample]
    reasons: Mapping[str, int]


class Store:
    """The one connection through which an ingest process writes; reconnects by itself after a failure.

    With a quota it leaves a letter for a reading that only the database refuses, with room it quarantines samples.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection] = connect,
        quota: Quota | None = None,
        kind: Kind = Kind.MQTT,
        room: Room | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._connect = connect
        self._quota = quota
        self._room = room
        self._ledger = Ledger(kind)
        self._watches = kind in (Kind.MQTT, Kind.HTTP)  # what happens now; not history that somebody brings
        self._connection: psycopg.Connection | None = None
        self._rules = rules or Rules()
        self._days: set[int] = set()  # UTC days since 1970 for which the database has room

    def write(
        self,
        readings: Sequence[Reading],
        letters: Sequence[Letter] = (),
        receipts: Sequence[Receipt] = (),
        unknown: Sequence[Sample] = (),
        reasons: Mapping[str, int] = NO_REASONS,
    ) -> Stored:
        """Stores the readings, letters and unknown samples, each once; after it returns they are committed.

        Args:
            receipts: what came with each message, for the ledger; in the order of `readings`, of which each accepted
                so many. None at all: the ledger is not told.
            unknown: samples of plants that exist, with times that are accepted, for the quarantine.
            reasons: how many samples of these messages are dead for which reason, for the ledger.

        Raises:
            psycopg.Error: the database is away, too busy, or not as migrations left it. Either nothing was
                stored or all was and will be recognised: call again with the same readings and letters.
        """
        if not readings and not letters and not receipts and not unknown:
            return NOTHING
        load = Load(columns(readings), letters, receipts, unknown, reasons)
        try:
            connection = self._ready()
            return self._write(connection, load) if readings else self._commit(connection, load, insert.nothing)
        except psycopg.Error:
            self.close()
            raise

    def cancel(self) -> None:
        """Makes a `write` under way in another thread fail soon."""
        if self._connection is not None:
            self._connection.cancel_safe(timeout=CANCEL_WITHIN_S)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._days.clear()

    def _write(self, connection: psycopg.Connection, load: Load) -> Stored:
        time_us = load.rows.time_us
        self._ensure_days(connection, time_us)
        try:
            return self._commit(connection, load, insert.copy)
        except errors.ConfigurationLimitExceeded:
            return self._commit(connection, load, insert.merge_without_limit)
        except NotAllCopiedError:
            pass
        except psycopg.Error as error:
            if is_missing_day(error):  # one that we knew was dropped meanwhile (retention): find out anew
                self._days.clear()
                self._ensure_days(connection, time_us)
            elif not is_refusal_of_a_row(error):
                raise
        try:
            return self._commit(connection, load, insert.merge)
        except errors.ConfigurationLimitExceeded:
            return self._commit(connection, load, insert.merge_without_limit)

    def _commit(self, connection: psycopg.Connection, load: Load, way: Way) -> Stored:
        """One transaction: the readings, what depends on them, letters, ledger, quarantine."""
        rows = load.rows
        with connection.transaction(), connection.cursor() as cursor:
            mark_from_us = begin_writing(cursor)
            fates = way(cursor, rows)
            newest, before = _advance_latest(cursor, rows, fates)
            leave_marks(cursor, mark_from_us, rows.sensor[fates.changed], rows.time_us[fates.changed])
            if self._watches:
                rules = self._rules.read(cursor)
                evaluate(cursor, rules, Rows(*rows.take(fates.stored & ~fates.late)), before)
            refused = {place: _refusal(rows, place, words) for place, words in fates.refused.items()}
            inbox.put(cursor, [*load.letters, *self._letters_of(cursor, rows, refused)])
            self._ledger.enter(cursor, load.receipts, fates, load.reasons)
            if self._room is not None:
                quarantine.put(cursor, load.unknown, self._room)
        stored, duplicate, conflict, late = (
            int(np.count_nonzero(each)) for each in (fates.stored, fates.duplicate, fates.conflict, fates.late)
        )
        return Stored(stored, duplicate, conflict, late, refused, newest)

    def _letters_of(self, cursor: psycopg.Cursor, rows: Columns, refused: dict[int, Rejected]) -> list[Letter]:
        """For readings that only the database refuses, as far as the quota goes."""
        if self._quota is None or not refused:
            return []
        now_us = time.time_ns() // 1000
        numbers = [int(rows.sensor[place]) for place in refused]
        addresses: dict[int, str] = dict(cursor.execute(ADDRESSES, [numbers]).fetchall())
        letters = []
        for place, why in refused.items():
            sensor = int(rows.sensor[place])
            if sensor not in addresses:  # a sensor that is gone has no address; nobody misses its readings
                continue
            letter = letter_of_reading(addresses[sensor], rows.row(place), now_us, why.detail)
            if self._quota.take(letter.source, now_us):
                letters.append(letter)
        return letters

    def _ready(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def _ensure_days(self, connection: psycopg.Connection, time_us: NDArray[np.int64]) -> None:
        """Makes room for the days of these times, and a day ahead, before the transaction that needs it."""
        days = set(np.unique(time_us // DAY_US).tolist())
        days.add(max(days) + 1)
        if not days <= self._days:
            flavour(connection).ensure_days(connection, [instant(day * DAY_US).date() for day in days])
            self._days |= days


def _advance_latest(cursor: psycopg.Cursor, rows: Columns, fates: Fates) -> tuple[list[Reading], Callable[[], Before]]:
    """Moves `latest` forward where changed rows are newer; gives those, and what gives the latest before.

    Notes which of the stored are late.
    """
    if not fates.changed.any():
        return [], lambda: NO_LATEST
    candidates = newest_of_each(rows.take(fates.changed))
    found = cursor.execute(UPSERT_LATEST, [column.tolist() for column in candidates]).fetchall()
    before_us = np.array(
        [ALWAYS if not advanced else NEVER if time_us is None else time_us for advanced, time_us, _, _ in found],
        np.int64,
    )
    place = np.searchsorted(candidates.sensor, rows.sensor).clip(max=len(before_us) - 1)  # of what did not change: any
    fates.late = fates.stored & (rows.time_us < before_us[place])
    newest = [reading for reading, (advanced, *_) in zip(candidates.rows(), found, strict=True) if advanced]

    def before() -> Before:
        advanced = before_us != ALWAYS
        _, _, values, qualities = zip(*found, strict=True)
        return Before(
            candidates.sensor[advanced],
            before_us[advanced],
            np.array(values, np.float64)[advanced],  # None, where there was nothing, becomes NaN
            np.array([BAD if quality is None else quality for quality in qualities], np.int16)[advanced],
        )

    return newest, before


def _refusal(rows: Columns, place: int, words: str) -> Rejected:
    sensor, time_us, value, quality = rows.row(place)
    detail = f"The database refused the value {value!r} of quality {quality} for {time_us} µs: {words}"
    return Rejected(f"sensor {sensor}", Reason.DATABASE_REJECTED, detail)
