"""Stage 6 of 8 — store: how much came from each source and what became of it, in the transaction that stores it.

received = stored + duplicate + conflict + dead, each minute and source. `received` is counted as messages are taken
apart, the others by what the database says, so the equation is no tautology: a job checks it (telemetry/ledger.py).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, LiteralString

import numpy as np
import psycopg

from telemetry.readings import Reason

if TYPE_CHECKING:
    from telemetry.ingest.insert import Fates

# What came with one message: (source, samples received, readings among them, samples that are none). A bare tuple, as
# Reading is: there is one a message.
Receipt = tuple[str, int, int, int]

STRANGERS = 100  # sources that have sent nothing but rubbish are named up to so many; made-up topics have no end
OTHERS = "other sources"

COLUMNS: LiteralString = "received, stored, duplicate, conflict, late, dead"
# The database's clock, at the end of the transaction: a minute that is past is complete soon, whoever writes it. In the
# order of the source, so that two processes never wait for each other in a circle.
ADD = f"""
INSERT INTO ledger AS l (minute, kind, source, {COLUMNS})
SELECT date_trunc('minute', clock_timestamp(), 'UTC'), %s, * FROM unnest(
    %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]
)
ON CONFLICT (minute, kind, source) DO UPDATE SET
    received = l.received + excluded.received, stored = l.stored + excluded.stored,
    duplicate = l.duplicate + excluded.duplicate, conflict = l.conflict + excluded.conflict,
    late = l.late + excluded.late, dead = l.dead + excluded.dead
"""
# Why samples are dead, in no minutes: few rows, so they come last, when they are locked for a moment only.
ADD_REASONS = """
INSERT INTO dead_total AS t (kind, reason, samples) SELECT %s, * FROM unnest(%s::text[], %s::bigint[])
ON CONFLICT (kind, reason) DO UPDATE SET samples = t.samples + excluded.samples
"""


class Kind(StrEnum):
    """How the samples of a source come."""

    MQTT = "mqtt"  # the source is the plant/zone/machine of a topic
    HTTP = "http"  # plant/name of a device, or a user's email
    IMPORT = "import"  # the file's name
    REPLAY = "replay"  # the source of the dead letter


class Ledger:
    """Enters what became of batches; remembers only which strangers it has named."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._known: set[str] = set()
        self._strangers: set[str] = set()

    def enter(
        self, cursor: psycopg.Cursor, receipts: Sequence[Receipt], fates: "Fates", reasons: Mapping[str, int]
    ) -> None:
        """Adds a batch to the present minute of its sources.

        Args:
            receipts: of the batch's messages, in the order of its readings.
            fates: of the readings.
            reasons: of the samples that are none.
        """
        if not receipts:
            return
        place_of: dict[str, int] = {}  # of a source, in the arrays below
        received: list[int] = []
        dead: list[int] = []
        places: list[int] = []  # of each message's source
        accepted: list[int] = []
        for source, samples, readings, none in receipts:
            name = source if readings else self._name(source)
            place = place_of.setdefault(name, len(place_of))
            if place == len(received):
                received.append(0)
                dead.append(0)
            received[place] += samples
            dead[place] += none
            places.append(place)
            accepted.append(readings)
        self._known.update(place_of.keys() - {OTHERS} - self._strangers)
        of_reading = np.repeat(places, accepted)
        for refused in fates.refused:
            dead[of_reading[refused]] += 1
        counted = [
            np.bincount(of_reading[chosen], minlength=len(place_of)).tolist()
            for chosen in (fates.stored, fates.duplicate, fates.conflict, fates.late)
        ]
        rows = sorted(zip(place_of, received, *counted, dead, strict=True))
        cursor.execute(ADD, [str(self._kind), *map(list, zip(*rows, strict=True))])
        self._enter_reasons(cursor, Counter(reasons) + Counter({Reason.DATABASE_REJECTED: len(fates.refused)}))

    def _enter_reasons(self, cursor: psycopg.Cursor, reasons: Mapping[str, int]) -> None:
        if reasons:
            by_name = sorted((str(reason), samples) for reason, samples in reasons.items())
            cursor.execute(ADD_REASONS, [str(self._kind), *map(list, zip(*by_name, strict=True))])

    def _name(self, source: str) -> str:
        """The source of a message without any reading, or OTHERS."""
        if source in self._known or source in self._strangers:
            return source
        if len(self._strangers) < STRANGERS:
            self._strangers.add(source)
            return source
        return OTHERS
