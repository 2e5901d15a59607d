"""Stage 6 of 8 — store: one transaction for readings, what depends on them, and what could not become one.

Only readings that are new go on from `reading` (insert.py) to `latest` (latest.py), to the marks for rollups and to the
rules (stage 7, alarms/evaluate.py). Letters (inbox.py), ledger (ledger.py) and samples of unknown sensors
(quarantine.py) are written beside them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import errors

from alarms.evaluate import evaluate
from alarms.quick import Rows
from alarms.rule_set import Rules
from plants.scales import instant
from telemetry.ingest import inbox, insert, latest, quarantine
from telemetry.ingest.columns import Columns, columns
from telemetry.ingest.insert import NotAllCopiedError, Way, is_missing_day, is_refusal_of_a_row
from telemetry.ingest.ledger import Kind, Ledger, Receipt
from telemetry.ingest.letters import Letter, Quota, letter_of_reading
from telemetry.ingest.quarantine import Room
from telemetry.readings import Reading, Reason, Rejected, Sample
from telemetry.storage import connection_params, flavour
from telemetry.storage.rollups import begin_writing, leave_marks

CANCEL_WITHIN_S = 2.0
DAY_US = 86_400_000_000

ADDRESSES = """
SELECT sensor.number, concat_ws('/', plant.slug, zone.slug, machine.slug, sensor.slug)
FROM plants_sensor AS sensor
JOIN plants_machine AS machine ON machine.id = sensor.machine_id
JOIN plants_zone AS zone ON zone.id = machine.zone_id
JOIN plants_plant AS plant ON plant.id = zone.plant_id
WHERE sensor.number = ANY(%s)
"""
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
            newest, before = latest.advance(connection, rows, fates)
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


def _refusal(rows: Columns, place: int, words: str) -> Rejected:
    sensor, time_us, value, quality = rows.row(place)
    detail = f"The database refused the value {value!r} of quality {quality} for {time_us} µs: {words}"
    return Rejected(f"sensor {sensor}", Reason.DATABASE_REJECTED, detail)
