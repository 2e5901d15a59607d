"""What happens to alarms, as frames for those who follow their plants: every event once, in order, none left out.

Word of a new event comes with its commit (`NOTIFY alarms`), its content from the journal, which counts a plant's
events in the order of their commits: so whoever has seen one number knows of all before it, and resumes there.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
import structlog
from django.db import connection
from django.db.models import Max

from alarms.api.serializers import AlarmEventSerializer, AlarmSerializer
from alarms.models import Alarm, AlarmEvent
from telemetry.live import frames
from telemetry.live.hub import Hub, get_hub
from telemetry.live.tail import RESUMABLE, Tail, Told
from telemetry.storage import connection_params

CHUNK = 500  # events a query
LOOK_EVERY_S = 10.0  # also without word: some poolers of connections swallow it
RETRY_AFTER_S = 1.0
APPLICATION_NAME = "inqube web"  # as pg_stat_activity shows it

log = structlog.get_logger("inqube.live.alarms")


class News(NamedTuple):
    told: list[Told]
    last: int  # the number up to which nothing is missing


def read_news(plant_id: UUID, after: int, limit: int) -> News:
    """The next events after this one. Alarms are told as they are now."""
    events = list(AlarmEvent.objects.filter(plant=plant_id, id__gt=after).order_by("id")[:limit])
    alarms = Alarm.objects.with_words().in_bulk({event.alarm_id for event in events})
    bodies = {id: AlarmSerializer(alarm).data for id, alarm in alarms.items()}
    told = [
        Told(event.pk, frames.alarm(alarm.plant.slug, AlarmEventSerializer(event).data, bodies[alarm.pk]).decode())
        for event in events
        if (alarm := alarms.get(event.alarm_id)) is not None  # None: it was deleted with its plant
    ]
    return News(told, events[-1].pk if events else after)


def last_event(plant_id: UUID) -> int:
    last: int | None = AlarmEvent.objects.filter(plant=plant_id).aggregate(last=Max("id"))["last"]
    return last or 0


def missed(plant_id: UUID, after: int) -> list[Told] | None:
    """What happened after this event, from the journal; None where that is more than a client may have missed."""
    told = read_news(plant_id, after, RESUMABLE + 1).told
    return told if len(told) <= RESUMABLE else None


T = TypeVar("T")


async def ask(question: Callable[..., T], *about: Any) -> T:
    """Asks the database in a thread of its own: behind the snapshots of many who connect it would come too late."""

    def answer() -> T:
        try:
            return question(*about)
        finally:
            connection.close()  # back to the pool: the next question may come in another thread

    return await asyncio.to_thread(answer)


class AlarmFeed:
    """Listens while somebody in this web process follows a plant."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._tails: dict[UUID, Tail] = {}
        self._stale: set[UUID] = set()  # plants of which there may be news
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._following = asyncio.Lock()

    async def follow(self, plant_id: UUID) -> Tail:
        """From now on every event of this plant is in its tail."""
        async with self._following:
            if not self._tasks:
                self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._read())]
            if plant_id not in self._tails:
                self._tails[plant_id] = Tail(await ask(last_event, plant_id))
                self._look({plant_id})  # what was committed meanwhile without a word that we have heard
            return self._tails[plant_id]

    def _look(self, plants: Iterable[UUID]) -> None:
        self._stale.update(plants)
        self._news.set()

    async def _listen(self) -> None:
        while True:
            try:
                params = connection_params() | {"application_name": APPLICATION_NAME}
                async with await psycopg.AsyncConnection.connect(**params, autocommit=True) as heard:
                    await heard.execute("LISTEN alarms")
                    self._look(self._tails)
                    async for notice in heard.notifies():
                        self._look({UUID(notice.payload)} & self._tails.keys())
            except Exception as error:  # the database is away: what happens is read when it is back
                log.warning("not listening for alarms; trying again", error=repr(error))
                await asyncio.sleep(RETRY_AFTER_S)

    async def _read(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._news.wait()
            self._news.clear()
            plants, self._stale = self._stale or set(self._tails), set()
            for plant_id in plants:
                try:
                    await self._read_plant(plant_id)
                except Exception as error:  # as above; the look without word comes to it
                    log.warning("alarms not read; trying again", plant=str(plant_id), error=repr(error))

    async def _read_plant(self, plant_id: UUID) -> None:
        if not self._hub.is_followed(plant_id):
            self._tails.pop(plant_id, None)
            return
        tail = self._tails[plant_id]
        while True:
            news = await ask(read_news, plant_id, tail.last, CHUNK)
            if news.last == tail.last:
                return
            tail.add(news.told, news.last)
            self._hub.wake(plant_id)


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, AlarmFeed] = WeakKeyDictionary()


def get_alarm_feed() -> AlarmFeed:
    """The feed of the running event loop; a web process has one loop."""
    loop = asyncio.get_running_loop()
    if loop not in _feeds:
        _feeds[loop] = AlarmFeed(get_hub())
    return _feeds[loop]
