"""What an ingest process says of itself in the database: its rows of `ingest_shard` and `ingest_total`, and events.

The holder of the session's lock writes them, on the lock's connection. While the database is away events wait.
"""

import os
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import NamedTuple

import structlog
from psycopg.rows import dict_row

from telemetry.ingest.counters import Counters
from telemetry.ingest.leadership import Connection
from telemetry.ingest.shard import Shard
from telemetry.models.processes import IngestEvent

EVENTS_WAITING = 100  # more than a night of outages makes; the oldest go, and were logged
DROPS_EVERY_S = 60.0  # drops that go on are one event in that time
STAND_BY_EVERY_S = 5.0

EARLIER = "SELECT * FROM ingest_shard WHERE client_id = %s"
BEGIN = """
INSERT INTO ingest_shard AS s
       (client_id, shard, of, host, pid, started_at, seen_at, is_subscribed, plants, unacknowledged, standby_host)
VALUES (%(client_id)s, %(shard)s, %(of)s, %(host)s, %(pid)s, %(started_at)s, %(started_at)s, false, '{}', 0, '')
ON CONFLICT (client_id) DO UPDATE
SET host = excluded.host, pid = excluded.pid, started_at = excluded.started_at, seen_at = excluded.seen_at,
    stopped_at = NULL, is_subscribed = false, unacknowledged = 0, lag_s = 0, standby_host = '', standby_at = NULL
"""
BEAT = """
UPDATE ingest_shard
SET seen_at = %(now)s, stopped_at = %(stopped_at)s, connected_at = coalesce(%(connected_at)s, connected_at),
    contact_at = coalesce(%(contact_at)s, contact_at), committed_at = coalesce(%(committed_at)s, committed_at),
    is_subscribed = %(is_subscribed)s, unacknowledged = %(unacknowledged)s, lag_s = %(lag_s)s,
    broker_dropped = coalesce(%(broker_dropped)s, broker_dropped)
WHERE client_id = %(client_id)s
"""
COUNTED = "SELECT messages, rejected, commits, commit_s, dropped FROM ingest_total WHERE client_id = %s"
# All of them rather than what came since the last beat: of a beat nobody may know whether it was committed.
COUNT = """
INSERT INTO ingest_total (client_id, messages, rejected, commits, commit_s, dropped) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (client_id) DO UPDATE SET
    messages = excluded.messages, rejected = excluded.rejected, commits = excluded.commits,
    commit_s = excluded.commit_s, dropped = excluded.dropped
"""
SUBSCRIBED = "UPDATE ingest_shard SET plants = %s WHERE client_id = %s"
EVENT = "INSERT INTO ingest_event (at, client_id, kind, since, count, detail) VALUES (%s, %s, %s, %s, %s, %s)"
ELSEWHERE = "SELECT DISTINCT unnest(plants) FROM ingest_shard WHERE of = %s AND client_id <> %s"
FORGET = "DELETE FROM ingest_shard WHERE client_id = %s"
STAND_BY = "UPDATE ingest_shard SET standby_host = %s, standby_at = %s WHERE client_id = %s"

SESSION_LOST = (
    "The broker did not know our session any more. What it held for us is gone: messages published between the two "
    "times and until we had subscribed again, and those it had delivered but we had not stored. Devices that keep what "
    "they send should send it again; what is stored already is recognised. Find out whether the broker lost its data, "
    "or was told to let sessions expire."
)
BROKER_DROPPED = (
    "The broker threw messages away, by its own count over all of its clients, because somebody's queue was full. "
    "Those for InQube are lost, though their devices had them acknowledged. Find out why ingest was away or slow in "
    "that time, and let the broker hold more (Mosquitto: max_queued_messages)."
)

TOOK_OVER = "Stood by, and took over from process {pid} on {host}, which did not stop in order: find out why it ended."

log = structlog.get_logger("inqube.ingest")


class Event(NamedTuple):
    at: datetime
    client_id: str
    kind: str
    since: datetime | None
    lost: int | None
    detail: str


class Opened(NamedTuple):
    """A connection that the broker let in."""

    at: datetime
    session_present: bool
    contact_at: datetime | None  # before


@dataclass(slots=True)
class State:
    """Of a pipeline, as it is now."""

    is_connected: bool
    is_subscribed: bool
    plants: frozenset[str]
    committed_at: datetime | None
    unacknowledged: int
    counters: Counters
    lag_s: float = 0.0


class Counted(NamedTuple):
    """What the row of `ingest_total` says."""

    messages: int = 0
    rejected: int = 0
    commits: Sequence[int] = ()
    commit_s: float = 0.0
    dropped: int = 0

    def plus(self, counters: Counters, dropped: int) -> "Counted":
        return Counted(
            self.messages + counters.messages,
            self.rejected + counters.rejected,
            [sum(each) for each in zip_longest(self.commits, counters.commits, fillvalue=0)],
            self.commit_s + counters.commit_s,
            self.dropped + dropped,
        )


class Drops:
    """The broker's counter of messages that it threw away, followed across its restarts."""

    def __init__(self) -> None:
        self.counter: int | None = None
        self.increase = 0
        self.since: datetime | None = None
        self._reported_at: datetime | None = None

    def report(self, counter: int, at: datetime) -> None:
        if self.counter is not None and counter != self.counter:
            # The counter begins at 0 with the broker.
            self.increase += counter - self.counter if counter > self.counter else counter
            self.since = self.since or self._reported_at
        self.counter, self._reported_at = counter, at

    def taken(self) -> None:
        self.increase, self.since = 0, None


class Journal:
    """Of one time of working for a session."""

    def __init__(self, client_id: str, shard: Shard) -> None:
        self.client_id = client_id
        self.shard = shard
        self.stood_by = False
        self._drops = Drops()
        self._counters: deque[tuple[int, datetime]] = deque(maxlen=EVENTS_WAITING)
        self._opened: deque[Opened] = deque(maxlen=EVENTS_WAITING)
        self._events: deque[Event] = deque(maxlen=EVENTS_WAITING)
        self._had_session = False
        self._connected_at: datetime | None = None
        self._contact_at: datetime | None = None
        self._contact_before_at: datetime | None = None  # that of the process before us
        self._plants: frozenset[str] | None = None
        self._counted = Counted()  # before us
        self._written: Counted | None = None
        self._dropped = 0  # messages, by the broker, in our time
        self.earlier_plants: list[str] = []  # to which the session was subscribed when the process before us ended
        self.has_begun = False
        self._dropped_at = -DROPS_EVERY_S
        self._stood_by_at = -STAND_BY_EVERY_S

    # --- what happens -------------------------------------------------------------------------------------

    def opened(self, session_present: bool) -> None:
        """The broker has let us in."""
        at = datetime.now(UTC)
        self._opened.append(Opened(at, session_present, self._contact_at))
        self._connected_at = self._contact_at = at

    def dropped(self, counter: int) -> None:
        """The broker has told how many messages it has thrown away since it started."""
        self._counters.append((counter, datetime.now(UTC)))

    # --- what is written ----------------------------------------------------------------------------------

    async def stand_by(self, connection: Connection) -> None:
        if time.monotonic() - self._stood_by_at >= STAND_BY_EVERY_S:
            await connection.execute(STAND_BY, [socket.gethostname(), datetime.now(UTC), self.client_id])
            self._stood_by_at = time.monotonic()

    async def beat(self, connection: Connection, state: State, *, stopped: bool = False) -> None:
        """Writes how the process is, and the events that have not been written yet."""
        now = datetime.now(UTC)
        if not self.has_begun:
            await self._begin(connection, now)
        if state.is_connected:
            self._contact_at = now
        self._note_lost_sessions()
        drops_noted = self._note_drops(now, at_once=stopped)
        events = list(self._events)
        async with connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(
                BEAT,
                {
                    "client_id": self.client_id,
                    "now": now,
                    "stopped_at": now if stopped else None,
                    "connected_at": self._connected_at,
                    "contact_at": self._contact_at,
                    "committed_at": state.committed_at,
                    "is_subscribed": state.is_subscribed,
                    "unacknowledged": state.unacknowledged,
                    "lag_s": state.lag_s,
                    "broker_dropped": drops_noted,
                },
            )
            counted = self._counted.plus(state.counters, self._dropped)
            if counted != self._written:
                await cursor.execute(COUNT, [self.client_id, *counted])
            if state.plants != self._plants:
                await cursor.execute(SUBSCRIBED, [sorted(state.plants), self.client_id])
            await cursor.executemany(EVENT, events)
        self._plants, self._written = state.plants, counted
        for _ in events:
            self._events.popleft()

    async def subscribed_elsewhere(self, connection: Connection) -> frozenset[str]:
        """The plants to which the other shards have subscribed; their sessions hold, whether they run or not."""
        rows = await (await connection.execute(ELSEWHERE, [self.shard.of, self.client_id])).fetchall()
        return frozenset(str(plant) for (plant,) in rows)

    async def forget(self, connection: Connection) -> None:
        """Takes the row away: the session has ended for good."""
        await connection.execute(FORGET, [self.client_id])

    async def _begin(self, connection: Connection, now: datetime) -> None:
        """Takes over the row, and what it says of our session."""
        about = {"client_id": self.client_id, "shard": self.shard.number, "of": self.shard.of, "started_at": now}
        async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            earlier = await (await cursor.execute(EARLIER, [self.client_id])).fetchone()
            await cursor.execute(BEGIN, about | {"host": socket.gethostname(), "pid": os.getpid()})
            counted = await (await cursor.execute(COUNTED, [self.client_id])).fetchone()
        if counted is not None:
            self._counted = Counted(**counted)
        self.has_begun = True
        if earlier is None:
            return
        self._had_session = earlier["connected_at"] is not None
        self._contact_before_at = earlier["contact_at"]
        self.earlier_plants = earlier["plants"]
        self._drops.counter = earlier["broker_dropped"]
        if self.stood_by and earlier["stopped_at"] is None:
            detail = TOOK_OVER.format(pid=earlier["pid"], host=earlier["host"])
            self._note(IngestEvent.Kind.TOOK_OVER, earlier["seen_at"], None, detail, now)

    def _note_lost_sessions(self) -> None:
        while self._opened:
            at, session_present, contact_at = self._opened.popleft()
            if self._had_session and not session_present:
                since = contact_at or self._contact_before_at
                self._note(IngestEvent.Kind.SESSION_LOST, since, None, SESSION_LOST, at)
            self._had_session = True

    def _note_drops(self, now: datetime, *, at_once: bool) -> int | None:
        """Gives the counter up to which drops have been noted."""
        while self._counters:
            self._drops.report(*self._counters.popleft())
        if not self._drops.increase:
            return self._drops.counter
        if not at_once and time.monotonic() - self._dropped_at < DROPS_EVERY_S:
            return None
        self._note(IngestEvent.Kind.BROKER_DROPPED, self._drops.since, self._drops.increase, BROKER_DROPPED, now)
        self._dropped += self._drops.increase
        self._drops.taken()
        self._dropped_at = time.monotonic()
        return self._drops.counter

    def _note(self, kind: str, since: datetime | None, count: int | None, detail: str, at: datetime) -> None:
        log.error(
            str(kind).replace("_", " "),
            client_id=self.client_id,
            since=since.isoformat() if since else None,
            count=count,
            detail=detail,
        )
        self._events.append(Event(at, self.client_id, str(kind), since, count, detail))
