"""Pipeline: nothing is acknowledged before its commit, and nothing is lost when it has to wait or to stop."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import mqtt5
import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.db.models import Sum

from plants.models import Plant
from telemetry.ingest import intake as intake_module
from telemetry.ingest.batch import Limits
from telemetry.ingest.decode import Decoded, Plain
from telemetry.ingest.fair import Rates
from telemetry.ingest.intake import FULL_BATCHES
from telemetry.ingest.ledger import Kind
from telemetry.ingest.pipeline import Pipeline
from telemetry.ingest.quarantine import Room
from telemetry.ingest.shard import WHOLE, Shard, shard_of
from telemetry.ingest.store import connect
from telemetry.models import DeadLetter, DiscoveredSensor, LedgerEntry, Reading
from telemetry.readings import Message
from telemetry.storage import APPLICATION_NAME
from telemetry.tests.ingest.receiving import broker_at, until
from telemetry.tests.ingest.scripted_broker import Link, publish, scripted_broker
from telemetry.tests.samples import dead

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "inqube/v1/kandy/a/b/t/new"
NOW_MS = int(time.time() * 1000)
ROOM = Room(samples=1000, samples_of_plant=1000, addresses=10)
SOON = Limits(readings=100, age_s=0.02)
LATER = Limits(readings=100, age_s=30)


@pytest.fixture(autouse=True)
async def release_connections(transactional_db: None) -> AsyncIterator[None]:
    """Gives back the connection of the thread in which the ORM ran."""
    yield
    await sync_to_async(connections.close_all)()


def reading(packet_id: int, count: int = 1) -> mqtt5.PublishPacket:
    """A message with so many readings, none of which another packet id has."""
    items = [b'{"v": 1.5, "ts": %d}' % (NOW_MS - packet_id * 1000 - i) for i in range(count)]
    return publish(packet_id, b"[" + b",".join(items) + b"]")


def new(packet_id: int) -> mqtt5.PublishPacket:
    """For a sensor that does not exist."""
    return publish(packet_id, b'{"v": 1.5, "ts": %d}' % (NOW_MS - packet_id * 1000), NEW)


@asynccontextmanager
async def running(limits: Limits, shard: Shard = WHOLE) -> AsyncIterator[tuple[Link, Pipeline, asyncio.Event]]:
    """A pipeline that is connected to a broker which does what the test says."""
    stop = asyncio.Event()
    async with scripted_broker() as broker:
        pipeline = Pipeline(broker_at(broker.port), "under-test", limits, 90, 60, ROOM, Rates(0), shard)
        work = asyncio.create_task(pipeline.run(stop))
        try:
            link = await broker.next_link()
            await link.welcome()
            yield link, pipeline, stop
            stop.set()
            while not work.done():  # the broker closes when it has read the goodbye
                await asyncio.sleep(0.01)
                with contextlib.suppress(ConnectionError, TimeoutError):
                    if isinstance(await link.hear(), mqtt5.DisconnectPacket):
                        link.drop()
        finally:
            stop.set()
            await asyncio.wait_for(work, 20)


@sync_to_async
def stored() -> int:
    return Reading.objects.count()


@sync_to_async
def ledger() -> list[tuple[str, int, int, int]]:
    counts = LedgerEntry.objects.values("source").annotate(Sum("received"), Sum("stored"), Sum("dead"))
    return list(counts.values_list("source", "received__sum", "stored__sum", "dead__sum"))


@sync_to_async
def letters() -> list[tuple[str, int]]:
    return list(DeadLetter.objects.values_list("reason", "seen"))


async def hear_nothing(link: Link, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await link.hear()


@asynccontextmanager
async def locked_table() -> AsyncIterator[psycopg.Connection]:
    """Nobody else can write readings; the pipeline waits."""
    connection = await asyncio.to_thread(connect)
    await asyncio.to_thread(connection.execute, "BEGIN; LOCK TABLE reading IN EXCLUSIVE MODE")
    try:
        yield connection
    finally:
        await asyncio.to_thread(connection.close)


async def test_it_acknowledges_after_the_commit_only(kandy: Plant) -> None:
    async with running(SOON) as (link, _, _):
        async with locked_table():
            await link.say(reading(1))
            await hear_nothing(link, 0.5)
            assert await stored() == 0
        assert await link.hear_acknowledgements(1) == [1]
        assert await stored() == 1


async def test_it_acknowledges_in_order_across_batches(kandy: Plant) -> None:
    async with running(SOON) as (link, _, _):
        packet_ids = [7, 3, 9, 1, 8, 2]
        for packet_id in packet_ids:
            await link.say(reading(packet_id))
            await asyncio.sleep(0.03)
        assert await link.hear_acknowledgements(len(packet_ids)) == packet_ids


async def test_it_acknowledges_what_it_rejects_beside_what_it_stores(kandy: Plant) -> None:
    async with running(SOON) as (link, pipeline, _):
        await link.say(publish(1, b"23,4"), reading(2), publish(3, b'{"v": 1, "ts": "noon"}'))
        assert await link.hear_acknowledgements(3) == [1, 2, 3]
        assert await stored() == 1
        assert {str(reason): count for reason, count in pipeline.totals.rejected.items()} == {
            "invalid_json": 1,
            "bad_timestamp": 1,
        }


async def test_it_accounts_for_every_sample_by_the_machine_of_its_topic(kandy: Plant) -> None:
    async with running(SOON) as (link, _, _):
        await link.say(publish(1, b"23,4"), reading(2), publish(3, b'[{"v": 1}, {"v": 1, "ts": "noon"}]'))
        await link.hear_acknowledgements(3)
        assert await ledger() == [("kandy/rolling/roller-2", 4, 2, 2)]
        assert await sync_to_async(dead)(Kind.MQTT) == {"invalid_json": 1, "bad_timestamp": 1}


async def test_it_counts_messages_and_commits(kandy: Plant) -> None:
    async with running(SOON) as (link, pipeline, _):
        await link.say(publish(1, b"23,4"), reading(2), publish(3, b'[{"v": 1}, {"v": 1, "ts": "noon"}]'))
        await link.hear_acknowledgements(3)
        counters = pipeline.counters
        assert (counters.messages, counters.rejected) == (3, 2)
        assert sum(counters.commits) >= 1
        assert 0 < counters.commit_s < 60
        assert 0 < pipeline.take_lag() < 60
        assert pipeline.take_lag() == 0


async def test_it_lags_while_a_message_waits_for_its_commit(kandy: Plant) -> None:
    async with running(SOON) as (link, pipeline, _), locked_table():
        await link.say(reading(1))
        await hear_nothing(link, 0.5)
        assert pipeline.take_lag() >= 0.4


async def test_it_acknowledges_what_it_rejects_after_the_letter_is_committed_only(kandy: Plant) -> None:
    async with running(SOON) as (link, _, _):
        connection = await asyncio.to_thread(connect)
        await asyncio.to_thread(connection.execute, "BEGIN; LOCK TABLE dead_letter IN EXCLUSIVE MODE")
        try:
            await link.say(publish(1, b"23,4"))
            await hear_nothing(link, 0.5)
        finally:
            await asyncio.to_thread(connection.close)
        assert await link.hear_acknowledgements(1) == [1]
        assert await letters() == [("invalid_json", 1)]


async def test_it_keeps_one_letter_of_a_message_that_the_broker_delivers_again(kandy: Plant) -> None:
    async with running(SOON) as (link, _, _):
        await link.say(publish(1, b"23,4"))
        assert await link.hear_acknowledgements(1) == [1]
        again = publish(1, b"23,4")
        await link.say(
            mqtt5.PublishPacket(again.topic, again.payload, qos=again.qos, packet_id=1, duplicate=True),
            publish(2, b"23,4"),
        )
        assert await link.hear_acknowledgements(2) == [1, 2]
        assert sorted(await letters()) == [("invalid_json", 1), ("invalid_json", 2)]


@sync_to_async
def discovered() -> list[tuple[str, int, int]]:
    return list(DiscoveredSensor.objects.values_list("address", "count", "kept"))


async def test_it_acknowledges_what_is_unknown_after_it_is_quarantined_only(kandy: Plant) -> None:
    async with running(SOON) as (link, _, _):
        connection = await asyncio.to_thread(connect)
        await asyncio.to_thread(connection.execute, "BEGIN; LOCK TABLE quarantined_sample IN EXCLUSIVE MODE")
        try:
            await link.say(new(1), reading(2))
            await hear_nothing(link, 0.5)
            assert await stored() == 0
        finally:
            await asyncio.to_thread(connection.close)
        assert await link.hear_acknowledgements(2) == [1, 2]
        assert await discovered() == [("kandy/a/b/new", 1, 1)]
        assert await letters() == [("unknown_sensor", 1)]
        assert await stored() == 1


async def test_it_quarantines_a_sample_once_that_is_delivered_again(kandy: Plant) -> None:
    async with running(SOON) as (link, _, _):
        for _ in range(3):
            await link.say(new(1))
            assert await link.hear_acknowledgements(1) == [1]
        assert await discovered() == [("kandy/a/b/new", 3, 1)]


async def test_it_quarantines_nothing_that_could_not_be_stored(kandy: Plant) -> None:
    async with running(SOON) as (link, pipeline, _):
        await link.say(
            publish(1, b'{"v": 1, "ts": %d}' % (NOW_MS + 86_400_000), NEW),
            publish(2, b'{"v": 1, "ts": 1}', NEW),
            publish(3, b"1", "inqube/v1/ghost/a/b/t/new"),
        )
        assert await link.hear_acknowledgements(3) == [1, 2, 3]
        assert await discovered() == []
        reasons = {str(reason): count for reason, count in pipeline.totals.rejected.items()}
        assert reasons == {"timestamp_out_of_range": 2, "unknown_plant": 1}


async def test_it_stores_and_acknowledges_what_has_arrived_when_told_to_stop(kandy: Plant) -> None:
    async with running(LATER) as (link, pipeline, stop):
        await link.say(reading(1), reading(2))
        await until(lambda: pipeline.receiver.unacknowledged == 2)
        assert await stored() == 0
        stop.set()
        assert await link.hear_acknowledgements(2) == [1, 2]
        assert isinstance(await link.hear(), mqtt5.DisconnectPacket)
        assert await stored() == 2
        link.drop()


async def test_it_tries_again_until_the_database_is_back(kandy: Plant) -> None:
    async with running(SOON) as (link, _, _):
        await link.say(reading(1))
        assert await link.hear_acknowledgements(1) == [1]
        await asyncio.to_thread(execute, "ALTER TABLE latest RENAME TO away")
        try:
            await link.say(reading(2))
            await hear_nothing(link, 1)
        finally:
            await asyncio.to_thread(execute, "ALTER TABLE away RENAME TO latest")
        assert await link.hear_acknowledgements(1) == [2]
        assert await stored() == 2


async def test_it_goes_on_after_its_connection_was_cut(kandy: Plant) -> None:
    async with running(SOON) as (link, _, _):
        await link.say(reading(1))
        assert await link.hear_acknowledgements(1) == [1]
        await asyncio.to_thread(
            execute,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            f"AND application_name = '{APPLICATION_NAME}' AND pid <> pg_backend_pid()",
        )
        await link.say(reading(2))
        assert await link.hear_acknowledgements(1) == [2]
        assert await stored() == 2


async def test_it_stops_reading_the_socket_while_too_much_waits(kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = 4 * FULL_BATCHES
    monkeypatch.setattr(intake_module, "WAITING_BYTES", 1)  # one message
    async with running(SOON) as (link, pipeline, _):
        async with locked_table():
            for packet_id in range(1, messages + 1):
                await link.say(reading(packet_id, SOON.readings))
                await asyncio.sleep(0.01)
            # One batch is being written, the next one is full, some messages wait; the rest does so in TCP.
            assert pipeline.receiver.unacknowledged <= 2 * (FULL_BATCHES + 1) + 1
        assert await link.hear_acknowledgements(messages) == list(range(1, messages + 1))
        assert await stored() == messages * SOON.readings


async def test_it_acknowledges_in_order_what_has_overtaken(kandy: Plant) -> None:
    flood = 3 * FULL_BATCHES
    async with running(SOON) as (link, pipeline, _):
        async with locked_table():
            for packet_id in range(1, flood + 1):
                await link.say(reading(packet_id, SOON.readings))
            await link.say(publish(flood + 1, b"1", "inqube/v1/kandy/a/b/t"))
            await until(lambda: pipeline.receiver.unacknowledged == flood + 1)
        assert await link.hear_acknowledgements(flood + 1) == list(range(1, flood + 2))
        assert await stored() == flood * SOON.readings


async def test_it_takes_nothing_for_read_when_it_hears_of_other_shards_before_it_knows_any_plant() -> None:
    pipeline = Pipeline(broker_at(1), "under-test", SOON, 90, 60, ROOM, Rates(0), Shard(1, 2))
    pipeline.others_have(frozenset({"kandy"}))
    assert not pipeline.directory_read.is_set()


async def test_it_subscribes_to_the_plants_of_its_shard_as_they_come_and_go(kandy: Plant, rotterdam: Plant) -> None:
    await rotterdam.adelete()
    async with running(SOON, Shard(2, 2)) as (link, pipeline, _):
        await until(lambda: pipeline.receiver.is_subscribed)
        assert pipeline.receiver.subscriptions.granted == set(Shard(2, 2).filters(["kandy"]))
        assert shard_of("oslo", 2) == 1
        await Plant.objects.acreate(slug="oslo", name="Oslo")
        await Plant.objects.acreate(slug="rotterdam", name="Rotterdam")
        subscribe = await link.hear()
        assert isinstance(subscribe, mqtt5.SubscribePacket)
        assert [each.pattern for each in subscribe.topic_filters] == Shard(2, 2).filters(["rotterdam"])
        await Plant.objects.filter(slug="rotterdam").adelete()
        unsubscribe = await link.hear()
        assert isinstance(unsubscribe, mqtt5.UnsubscribePacket)
        assert unsubscribe.patterns == Shard(2, 2).filters(["rotterdam"])


async def test_it_gets_past_a_message_on_which_its_own_code_fails(
    kandy: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take_apart = intake_module.take_apart

    def fail_on_two(message: Message) -> Plain | Decoded:
        if message.token is not None and message.token.packet_id == 2:
            raise ZeroDivisionError
        return take_apart(message)

    monkeypatch.setattr(intake_module, "take_apart", fail_on_two)
    async with running(SOON) as (link, _, _):
        await link.say(reading(1), reading(2), reading(3))
        assert await link.hear_acknowledgements(3) == [1, 2, 3]
        assert await stored() == 2
    assert "message not decoded" in caplog.text


def execute(statement: str) -> None:
    with connect() as connection:
        connection.execute(statement)
