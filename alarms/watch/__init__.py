"""What no reading brings: delays that are over, sensors that have fallen silent, rules and shelves that end.

The worker does this once a second, by the clock of the database, in short transactions of their own; one process at a
time, whichever holds the lock. It takes locks in the order in which ingest does: sensors' rows of `latest` first, then
the plants of alarms.
"""

import time
from collections import Counter
from collections.abc import Callable
from threading import Event

from psycopg import Connection, Cursor

from alarms.rule_set import Rules, RuleSet
from alarms.watch.delays import end_delays
from alarms.watch.endings import close_orphans, end_shelves, forget_changes
from alarms.watch.silence import watch_silence

EVERY_S = 1.0
SLOW_EVERY_S = 5.0  # what asks about all rules, not just those whose time has come
WATCH_LOCK = 0x1_9BF
TRY_LOCK = "SELECT pg_try_advisory_lock(%s)"
UNLOCK = "SELECT pg_advisory_unlock(%s)"
NOW_US = "SELECT (extract(epoch FROM statement_timestamp()) * 1000000)::bigint"

Look = Callable[[Cursor, RuleSet, int], int]
QUICK: dict[str, Look] = {"delays": end_delays, "unshelved": end_shelves}
SLOW: dict[str, Look] = {"silence": watch_silence, "closed": close_orphans, "forgotten": forget_changes}


class Watch:
    """Keeps the rules in memory from one look to the next; the connection is in autocommit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rules = Rules()

    def look(self, looks: dict[str, Look]) -> Counter[str]:
        """Once; how much was done, by what."""
        done: Counter[str] = Counter()
        for name, each in looks.items():
            with self._connection.transaction(), self._connection.cursor() as cursor:
                row = cursor.execute(NOW_US).fetchone()
                assert row is not None
                done[name] += each(cursor, self._rules.read(cursor), row[0])
        return done


def watch(connection: Connection, until: float, ending: Event) -> dict[str, int]:
    """Looks until this time, in seconds since 1970, or until it is told to end; at least once. What it did, by name."""
    done: Counter[str] = Counter()
    watch, slow_at = Watch(connection), 0.0
    while not _is_alone(connection):  # another worker's, which is about to end, or to be found dead
        if time.time() >= until or ending.wait(EVERY_S):
            return {}
    try:
        while True:
            done += watch.look(QUICK)
            if time.monotonic() >= slow_at:
                slow_at = time.monotonic() + SLOW_EVERY_S
                done += watch.look(SLOW)
            if time.time() >= until or ending.wait(EVERY_S):
                return dict(done)
    finally:
        if not connection.broken:
            connection.execute(UNLOCK, [WATCH_LOCK])


def _is_alone(connection: Connection) -> bool:
    row = connection.execute(TRY_LOCK, [WATCH_LOCK]).fetchone()
    return row is not None and bool(row[0])
