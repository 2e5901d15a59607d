"""The life of an ingest process: it stands by, works while it leads, and stops in order."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from telemetry.ingest.aside import follow_drops
from telemetry.ingest.journal import Journal, State
from telemetry.ingest.leadership import Connection, Leadership
from telemetry.ingest.pipeline import Pipeline

LAST_WITHIN_S = 3.0  # the last word to a database that hangs

log = structlog.get_logger("inqube.ingest")


async def serve(make: Callable[[], Pipeline], stop: asyncio.Event) -> None:
    """Works for the session of the pipelines that `make` makes, whenever nobody else does, until `stop` is set."""
    while not stop.is_set():
        pipeline = make()
        journal = Journal(pipeline.receiver.client_id, pipeline.shard)
        leadership = Leadership(journal.client_id)
        winning = asyncio.create_task(leadership.win(journal.stand_by))
        await _first(winning, stop.wait())
        if not stop.is_set():
            journal.stood_by = winning.result()
            await _lead(leadership, journal, pipeline, stop)
        await _end(winning)
        await leadership.close()


async def _lead(leadership: Leadership, journal: Journal, pipeline: Pipeline, stop: asyncio.Event) -> None:
    """Works until `stop` is set, or another process has the lock that we had lost."""
    receiver = pipeline.receiver
    ended, soon = asyncio.Event(), asyncio.Event()

    def opened(session_present: bool) -> None:
        journal.opened(session_present)
        soon.set()

    async def beat(connection: Connection) -> None:
        await journal.beat(connection, _state(pipeline))

    async def last_beat(connection: Connection) -> None:
        await journal.beat(connection, _state(pipeline), stopped=True)

    receiver.on_open = opened
    receiver.until_ours = leadership.held.wait
    working = asyncio.create_task(pipeline.run(ended))
    keeping = asyncio.create_task(leadership.keep(beat, soon))
    aside = [asyncio.create_task(each) for each in _aside(journal, pipeline)]
    try:
        await _first(working, keeping, stop.wait())
        if not (stop.is_set() or working.done()):
            log.warning("another process has taken over; standing by", client_id=journal.client_id)
        ended.set()
        await working
    finally:
        await _end(working, keeping, *aside)
    if leadership.held.is_set():
        await leadership.release(last_beat, LAST_WITHIN_S)


def _aside(journal: Journal, pipeline: Pipeline) -> list[Coroutine[Any, Any, None]]:
    if pipeline.shard.number != 1:
        return []
    return [follow_drops(pipeline.receiver.broker, journal.client_id, journal.dropped)]


def _state(pipeline: Pipeline) -> State:
    receiver = pipeline.receiver
    return State(
        is_connected=receiver.is_connected,
        is_subscribed=receiver.is_subscribed,
        plants=pipeline.shard.plants_of(receiver.subscriptions.granted),
        committed_at=pipeline.committed_at,
        unacknowledged=receiver.unacknowledged,
    )


async def _first(*work: Coroutine[Any, Any, Any] | asyncio.Task[Any]) -> None:
    """Waits until one of these is done; stops the coroutines among the others, not the tasks."""
    tasks = {each: asyncio.ensure_future(each) for each in work}
    await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
    await _end(*(task for given, task in tasks.items() if given is not task))


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels those that still run; what they raise is not swallowed if they ended by themselves before."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
