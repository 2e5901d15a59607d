"""The life of an ingest process: it stands by, works while it leads, and stops in order."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connections
from django.utils.timezone import now

from telemetry.ingest.aside import follow_devices, follow_drops
from telemetry.ingest.journal import Journal, State
from telemetry.ingest.leadership import Connection, Leadership
from telemetry.ingest.mqtt import Receiver
from telemetry.ingest.pipeline import Pipeline
from telemetry.ingest.tasks import end, first
from telemetry.queries.processes import has_successor

LAST_WITHIN_S = 3.0  # the last word to a database that hangs
QUIET_S = 5.0  # after which a session that retires is empty: what a broker holds it sends at once
LOOK_EVERY_S = 0.2

NO_SUCCESSOR = (
    "No other shards are subscribed to all plants, so messages would be lost: start all shards of another number, wait "
    "until the admin shows that they work, and try again."
)
STOPPED = "It was stopped before the session was empty. The session is still there: start the command again."

log = structlog.get_logger("inqube.ingest")


class NotRetiredError(Exception):
    """Why a session was not ended, in words."""


@dataclass(slots=True)
class Life:
    """What a process does just now."""

    pipeline: Pipeline | None = None  # at work; None while it stands by


async def serve(make: Callable[[], Pipeline], stop: asyncio.Event, life: Life | None = None) -> None:
    """Works for the session of the pipelines that `make` makes, whenever nobody else does, until `stop` is set."""
    life = life or Life()
    while not stop.is_set():
        pipeline = make()
        async with _leading(pipeline, stop) as work:
            if work is None:
                return
            life.pipeline = pipeline
            try:
                await work.run(stop)
            finally:
                life.pipeline = None


async def retire(make: Callable[[], Pipeline], stop: asyncio.Event) -> int:
    """Takes what the broker still holds for the session of the pipeline, which retires, and ends it for good.

    Gives how many messages came.

    Raises:
        NotRetiredError: nobody else is subscribed to the plants, or the work was stopped; the session is still there.
    """
    pipeline = make()
    receiver = pipeline.receiver
    over = asyncio.Event()

    async def watch() -> None:
        await first(_quiet(receiver), stop.wait())
        pipeline.ends_session = not stop.is_set()
        over.set()

    async with _leading(pipeline, stop) as work:
        if work is not None:
            if not await asyncio.to_thread(_has_successor, receiver.client_id):
                raise NotRetiredError(NO_SUCCESSOR)
            watching = asyncio.create_task(watch())
            try:
                await work.run(over)
            finally:
                await end(watching)
    if not pipeline.ends_session:
        raise NotRetiredError(STOPPED)
    return receiver.received


async def _quiet(receiver: Receiver) -> None:
    """Returns when the broker has let go of all filters, and sent nothing more for a while, and all is acknowledged."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_S:
        if receiver.received != seen or receiver.unacknowledged or not receiver.is_subscribed:
            seen, since = receiver.received, time.monotonic()
        await asyncio.sleep(LOOK_EVERY_S)


def _has_successor(client_id: str) -> bool:
    try:
        return has_successor(client_id, now())
    finally:
        connections.close_all()


@asynccontextmanager
async def _leading(pipeline: Pipeline, stop: asyncio.Event) -> AsyncIterator["_Work | None"]:
    """Stands by until the lock of the pipeline's session is ours; None where `stop` is set before."""
    journal = Journal(pipeline.receiver.client_id, pipeline.shard)
    leadership = Leadership(journal.client_id)
    winning = asyncio.create_task(leadership.win(journal.stand_by))
    try:
        await first(winning, stop.wait())
        if stop.is_set():
            yield None
        else:
            journal.stood_by = winning.result()
            yield _Work(leadership, journal, pipeline)
    finally:
        await end(winning)
        await leadership.close()


class _Work:
    """A pipeline at work, while the lock of its session is held."""

    def __init__(self, leadership: Leadership, journal: Journal, pipeline: Pipeline) -> None:
        self.leadership = leadership
        self.journal = journal
        self.pipeline = pipeline
        self._knows_others = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set, or another process has the lock that we had lost."""
        receiver = self.pipeline.receiver
        ended, soon = asyncio.Event(), asyncio.Event()

        def opened(session_present: bool) -> None:
            self.journal.opened(session_present)
            self.pipeline.tally.connections += 1
            soon.set()

        receiver.on_open = opened
        receiver.until_ours = self.leadership.held.wait
        working = asyncio.create_task(self.pipeline.run(ended))
        keeping = asyncio.create_task(self.leadership.keep(self._beat, soon))
        aside = [asyncio.create_task(each) for each in self._aside()]
        try:
            await first(working, keeping, stop.wait())
            if not (stop.is_set() or working.done()):
                log.warning("another process has taken over; standing by", client_id=self.journal.client_id)
            ended.set()
            await working
        finally:
            await end(working, keeping, *aside)
        if self.leadership.held.is_set():
            await self.leadership.release(self._last_beat, LAST_WITHIN_S)

    def _aside(self) -> Iterator[Coroutine[Any, Any, None]]:
        pipeline = self.pipeline
        if pipeline.shard.number == 1 and not pipeline.retires:
            yield follow_drops(pipeline.receiver.broker, self.journal.client_id, self.journal.dropped)
            yield follow_devices(pipeline.receiver.broker, self.journal.client_id)
        if pipeline.strays is not None:
            yield self._follow_strays(pipeline.strays)

    async def _follow_strays(self, strays: Receiver) -> None:
        await self._knows_others.wait()
        await self.pipeline.directory_read.wait()  # or all plants would be unknown
        await strays.run()

    async def _beat(self, connection: Connection) -> None:
        is_first = not self.journal.has_begun
        await self.journal.beat(connection, _state(self.pipeline))
        if is_first:
            self.pipeline.receiver.leave(self.pipeline.shard.filters(self.journal.earlier_plants))
        if self.pipeline.strays is not None:
            self.pipeline.others_have(await self.journal.subscribed_elsewhere(connection))
            self._knows_others.set()

    async def _last_beat(self, connection: Connection) -> None:
        await self.journal.beat(connection, _state(self.pipeline), stopped=True)
        if self.pipeline.ends_session:
            await self.journal.forget(connection)


def _state(pipeline: Pipeline) -> State:
    receiver = pipeline.receiver
    return State(
        is_connected=receiver.is_connected,
        is_subscribed=receiver.is_subscribed and not pipeline.retires,
        plants=pipeline.shard.plants_of(receiver.subscriptions.granted),
        committed_at=pipeline.committed_at,
        unacknowledged=receiver.unacknowledged,
        counters=pipeline.counters,
        lag_s=pipeline.take_lag(),
    )
