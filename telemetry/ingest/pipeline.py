"""The path of a reading as code.

    broker ─▶ receive ─▶ decode ─▶ resolve ─▶ validate ─▶ batch ─▶ store ─▶ acknowledge ─▶ publish live

Stages 2 to 5 run in the event loop as messages come in; storing runs in a thread, where psycopg and numpy release
the interpreter, so that the next batch fills while one is written. Nothing is acknowledged before its commit.
"""

import asyncio
import contextlib
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
import structlog

from plants.broker_address import Broker
from telemetry.ingest.batch import Batch, Limits
from telemetry.ingest.counters import Counters, Tally
from telemetry.ingest.fair import Rates
from telemetry.ingest.intake import Intake
from telemetry.ingest.letters import Quota
from telemetry.ingest.mqtt import Receiver
from telemetry.ingest.quarantine import Room
from telemetry.ingest.resolve import Directory, watch_directory
from telemetry.ingest.shard import WHOLE, Shard
from telemetry.ingest.store import Store, Stored
from telemetry.ingest.subscriptions import Subscriptions
from telemetry.ingest.tasks import first
from telemetry.live.publish import LivePublisher
from telemetry.readings import Message, Reason

SHORTEST_RETRY_S = 0.1
LONGEST_RETRY_S = 5.0
REPORT_EVERY_S = 10.0
FINISH_WITHIN_S = 10.0  # after SIGTERM; what is not stored by then was not acknowledged, and comes again

log = structlog.get_logger("inqube.ingest")


@dataclass(slots=True)
class Totals:
    """What went through since the last report."""

    messages: int = 0
    stored: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)


class Pipeline:
    """Ingest of one process, from `run()` until its stop event."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        limits: Limits,
        retention_days: int,
        letters_a_minute: int,
        room: Room,
        rates: Rates,
        shard: Shard = WHOLE,
        tally: Tally | None = None,
        *,
        retires: bool = False,
    ) -> None:
        self.receiver = Receiver(
            broker, client_id, self.take, subscriptions=Subscriptions([] if retires else shard.filters([]))
        )
        # Brings what no shard is subscribed to, at most once: it asks for everything, and keeps no session.
        self.strays: Receiver | None = None
        if shard.number == 1 and not shard.is_whole and not retires:
            everything = Subscriptions(at_most_once=True)
            self.strays = Receiver(
                broker, f"{client_id}-strays", self.take_strays, subscriptions=everything, lasting=False
            )
        self.shard = shard
        self.retires = retires  # subscribes to nothing, and takes what the broker still holds
        self.ends_session = False
        self.publisher = LivePublisher()
        self.store = Store(quota=Quota(letters_a_minute), room=room)
        self.limits = limits
        self.intake = Intake(limits.readings, retention_days, Quota(letters_a_minute), rates)
        self.totals = Totals()
        self.counters = Counters()
        self.tally = tally or Tally()
        self.committed_at: datetime | None = None
        self._whole = self._own = Directory({}, {})  # of all plants, and of the shard's
        self._elsewhere: frozenset[str] = frozenset()  # plants to which other shards are subscribed
        self.directory_read = asyncio.Event()
        self.directory_read_at: float | None = None  # by a monotonic clock
        self._written = Batch()  # the one that is being stored, or was last
        self._batch_grew = asyncio.Event()
        self._tried_at = 0.0  # when an attempt to store a batch last ended, well or not
        self._writing = asyncio.Lock()  # batches are stored and acknowledged one after the other
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set; then stores and acknowledges what has arrived, and leaves."""
        watching = asyncio.create_task(watch_directory(self._use_directory))
        publishing = asyncio.create_task(self.publisher.run())
        reporting = asyncio.create_task(self._report())
        await first(self.directory_read.wait(), stop.wait(), watching)
        receiving = asyncio.create_task(self.receiver.run())
        writing = asyncio.create_task(self._write_batches())
        try:
            await first(stop.wait(), watching, publishing, reporting, receiving, writing)
            self._stopping = True
            self._pause()
            await self._finish()
        finally:
            tasks = [watching, publishing, reporting, receiving, writing]
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(self._writer.shutdown)
            self.store.close()
        for result in results:
            if isinstance(result, Exception):
                raise result  # a stage that fell over: the process ends loudly, and is started again

    def take(self, messages: list[Message]) -> None:
        """Stages 2 to 5 for the messages of one read."""
        began_at = time.monotonic()
        self.intake.take(messages, began_at)
        self.tally.took_in(len(messages), time.monotonic() - began_at)
        self._batch_grew.set()
        if self.intake.is_full:
            self._pause()

    def take_strays(self, messages: list[Message]) -> None:
        """Those messages of plants that don't exist, or to which no shard is subscribed yet."""
        if strays := [message for message in messages if self._is_stray(message.topic)]:
            self.take(strays)

    def others_have(self, plants: frozenset[str]) -> None:
        """Says to which plants other shards are subscribed."""
        if plants != self._elsewhere:
            self._elsewhere = plants
            if self.directory_read.is_set():
                self._use_directory(self._whole)

    def _pause(self) -> None:
        self.receiver.pause()
        if self.strays is not None:
            self.strays.pause()

    def _resume(self) -> None:
        self.receiver.resume()
        if self.strays is not None:
            self.strays.resume()

    def _is_stray(self, topic: str) -> bool:
        plant = topic.split("/", 3)[2]
        return plant not in self._own.plants and not (plant in self._elsewhere and plant in self._whole.plants)

    def take_lag(self) -> float:
        """For how many seconds a message waited at most for its commit, or waits, since this was last asked."""
        return self.counters.take_lag(self.waiting_s)

    @property
    def waiting_s(self) -> float:
        """For how many seconds the first of the messages has waited that are not committed yet."""
        since = self._waiting_since()
        return 0.0 if since is None else time.monotonic() - since

    @property
    def stuck_s(self) -> float:
        """For how many seconds messages have waited without the end of an attempt to store them, a failed one even."""
        since = self._waiting_since()
        return 0.0 if since is None else time.monotonic() - max(since, self._tried_at)

    def _waiting_since(self) -> float | None:
        """When the first of these messages came; None where there is none."""
        batches = [self.intake.batch, self._written] if self._writing.locked() else [self.intake.batch]
        return min((batch.opened_at for batch in batches if batch.messages), default=None)

    async def _write_batches(self) -> None:
        while True:
            await self._until_due()
            await self._write_batch()

    async def _until_due(self) -> None:
        while True:
            due_in = self.intake.batch.due_in(time.monotonic(), self.limits)
            if due_in == 0.0:
                return
            self._batch_grew.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due_in):
                    await self._batch_grew.wait()

    async def _write_batch(self) -> None:
        """Stages 6 to 8 for the batch that has gathered: store, acknowledge, publish."""
        async with self._writing:
            batch = self._written = self.intake.turn()
            # When the thread has begun to store this batch: what waits is decoded meanwhile.
            asyncio.get_running_loop().call_soon(self._refill)
            began_at = time.monotonic()
            result = await self._store(batch)
            if batch.messages:
                ended_at = time.monotonic()
                self.counters.committed(
                    batch.messages, batch.rejected_messages, ended_at - began_at, ended_at - batch.opened_at
                )
                self.tally.stored(len(batch.readings))
                self.committed_at = datetime.now(UTC)
            self.receiver.acknowledge(self.intake.due(batch))
        self.publisher.offer(result.newest, self.intake.directory.plant_of)
        self._count(batch, result)

    def _refill(self) -> None:
        self.intake.refill(time.monotonic())
        self._batch_grew.set()
        if not self._stopping and not self.intake.is_full:
            self._resume()

    async def _store(self, batch: Batch) -> Stored:
        """Stores, however often the database has to be asked: nothing is dropped and nothing acknowledged before."""
        delay_s = SHORTEST_RETRY_S
        while True:
            began_at = time.monotonic()
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._writer,
                    self.store.write,
                    batch.readings,
                    batch.letters,
                    batch.receipts,
                    batch.unknown,
                    Counter[str](each.reason for each in batch.rejected),
                )
            except psycopg.Error as error:
                self.tally.failed_writes += 1
                log.error(
                    "batch not stored yet; trying again",
                    readings=len(batch.readings),
                    retry_in_s=delay_s,
                    error=str(error).strip() or type(error).__name__,
                )
            finally:
                self._tried_at = time.monotonic()
                self.tally.store_s += self._tried_at - began_at
            await asyncio.sleep(delay_s)
            delay_s = min(LONGEST_RETRY_S, delay_s * 2)

    async def _finish(self) -> None:
        """Stores, acknowledges and publishes what had arrived, then takes leave of the broker."""
        try:
            async with asyncio.timeout(FINISH_WITHIN_S):
                await self._write_batch()
                while self.intake.batch.messages:  # of what waited
                    await self._write_batch()
                await self.publisher.flush()
                await self.receiver.disconnect(for_good=self.ends_session)
        except TimeoutError:
            log.error("stopped before the last batch was stored; the broker will deliver it again")
            with contextlib.suppress(psycopg.Error):
                await asyncio.to_thread(self.store.cancel)

    def _use_directory(self, directory: Directory) -> None:
        self._whole = self._own = directory
        self.directory_read_at = time.monotonic()
        if not self.shard.is_whole:
            self._own = directory.only(self.shard.holds)
            has_strays = self.strays is not None
            directory = directory.only(
                lambda plant: plant in self._own.plants or (has_strays and plant not in self._elsewhere)
            )
        if (directory.sensors, directory.plants) != (self.intake.directory.sensors, self.intake.directory.plants):
            log.info("directory of sensors read", plants=len(directory.plants), sensors=len(directory.sensors))
        self.intake.directory = directory
        (self.receiver.leave if self.retires else self.receiver.subscribe_to)(self.shard.filters(self._own.plants))
        self.publisher.follow(self._own.plants.values())
        self.directory_read.set()

    def _count(self, batch: Batch, result: Stored) -> None:
        rejected = [*batch.rejected, *result.refused.values()]
        totals = self.totals
        totals.messages += batch.messages
        totals.stored += result.stored
        totals.duplicate += result.duplicate
        totals.conflict += result.conflict
        if rejected:
            reasons = Counter(r.reason for r in rejected)
            totals.rejected.update(reasons)
            examples = {each.reason: each for each in reversed(rejected)}
            for reason, count in reasons.items():
                source, _, detail = examples[reason]
                log.warning("rejected", reason=str(reason), count=count, example=source, detail=detail)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            totals, self.totals = self.totals, Totals()
            if totals.messages:
                log.info(
                    "ingested",
                    seconds=REPORT_EVERY_S,
                    messages=totals.messages,
                    stored=totals.stored,
                    duplicate=totals.duplicate,
                    conflict=totals.conflict,
                    rejected={str(reason): count for reason, count in totals.rejected.items()},
                    unacknowledged=self.receiver.unacknowledged,
                )
