"""Closes the ledger's past minutes: checks that their counts match, and adds them to the totals."""

from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple

from psycopg import Connection

from telemetry.ingest.ledger import COLUMNS

# Nothing is added to a minute so long after it: its time is taken by the last statement before a commit.
SETTLED_AFTER = timedelta(minutes=2)
SHOWN = 100  # of what is broken, which is nothing

BROKEN: LiteralString = "received <> stored + duplicate + conflict + dead"
FIND_BROKEN = f"""
SELECT minute, kind, source, {COLUMNS} FROM ledger
WHERE minute >= %(since)s AND minute < %(until)s AND {BROKEN} ORDER BY minute, kind, source LIMIT {SHOWN}
"""
ADD_TO_TOTALS = f"""
INSERT INTO ledger_total AS t (kind, {COLUMNS})
SELECT kind, sum(received), sum(stored), sum(duplicate), sum(conflict), sum(late), sum(dead)
FROM ledger WHERE minute >= %(since)s AND minute < %(until)s GROUP BY kind
ON CONFLICT (kind) DO UPDATE SET
    received = t.received + excluded.received, stored = t.stored + excluded.stored,
    duplicate = t.duplicate + excluded.duplicate, conflict = t.conflict + excluded.conflict,
    late = t.late + excluded.late, dead = t.dead + excluded.dead
"""
COUNT_BROKEN = f"""
UPDATE ledger_state SET broken = broken + (
    SELECT count(*) FROM ledger WHERE minute >= %(since)s AND minute < %(until)s AND {BROKEN}
)
"""
# For people, who look at the events; the counts stay in the ledger.
TELL = """
INSERT INTO ingest_event (at, client_id, kind, since, count, detail)
VALUES (clock_timestamp(), 'ledger', 'ledger_broken', %s, %s, %s)
"""
ADVICE = "Samples were lost or invented, which is a fault of InQube's: report it with the log of that time. {}"
FORGET = "DELETE FROM ledger USING ledger_state WHERE minute < least(%s, checked_to)"


class Entry(NamedTuple):
    """A minute of a source, in samples: received = stored + duplicate + conflict + dead, unless something is wrong."""

    minute: datetime
    kind: str
    source: str
    received: int
    stored: int
    duplicate: int
    conflict: int
    late: int
    dead: int

    def __str__(self) -> str:
        return (
            f"{self.source} ({self.kind}) at {self.minute:%Y-%m-%d %H:%M} UTC: {self.received} received, but "
            f"{self.stored} stored, {self.duplicate} duplicate, {self.conflict} conflict, {self.dead} dead"
        )


class Checked(NamedTuple):
    """Up to when minutes are closed now, and which of those closed just now don't match."""

    until: datetime
    broken: list[Entry]


def check(connection: Connection, now: datetime) -> Checked:
    """Closes each minute once, whoever else does the same; a broken one becomes an event of ingest."""
    with connection.transaction():
        row = connection.execute("SELECT checked_to FROM ledger_state FOR UPDATE").fetchone()
        assert row is not None
        since = row[0]
        until = max(since, (now - SETTLED_AFTER).replace(second=0, microsecond=0))
        span = {"since": since, "until": until}
        broken = [Entry(*each) for each in connection.execute(FIND_BROKEN, span)]
        if broken:
            connection.execute(COUNT_BROKEN, span)
        connection.execute(ADD_TO_TOTALS, span)
        connection.execute("UPDATE ledger_state SET checked_to = %s", [until])
        if broken:
            connection.execute(TELL, [broken[0].minute, len(broken), ADVICE.format(broken[0])])
    return Checked(until, broken)


def forget(connection: Connection, before: datetime) -> int:
    """Deletes closed minutes before this time; gives the number of entries."""
    return connection.execute(FORGET, [before]).rowcount
