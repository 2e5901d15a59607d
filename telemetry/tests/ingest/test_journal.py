"""Journal: what an ingest process writes of itself, and which gaps become events."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from telemetry.ingest import journal as journal_module
from telemetry.ingest.counters import BOUNDS_S, Counters
from telemetry.ingest.journal import Drops, Journal, State
from telemetry.ingest.leadership import Connection
from telemetry.ingest.shard import WHOLE, Shard
from telemetry.models import IngestEvent, IngestShard, IngestTotal
from telemetry.storage import connection_params

pytestmark = pytest.mark.django_db(transaction=True)

WORKING = State(True, True, frozenset(), datetime(2026, 1, 2, tzinfo=UTC), 3, Counters())
AWAY = State(False, False, frozenset(), None, 0, Counters())


@pytest.fixture
async def connection(transactional_db: None) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(**connection_params(), autocommit=True) as connection:
        yield connection
    await sync_to_async(connections.close_all)()


@sync_to_async
def events() -> list[tuple[str, int | None]]:
    return list(IngestEvent.objects.order_by("id").values_list("kind", "count"))


async def row() -> IngestShard:
    return await IngestShard.objects.aget()


async def test_it_writes_how_the_process_is(connection: Connection) -> None:
    journal = Journal("c-2of3", Shard(2, 3))
    journal.opened(False)
    await journal.beat(connection, State(True, True, frozenset({"kandy"}), WORKING.committed_at, 3, Counters(), 1.5))
    found = await row()
    assert (found.client_id, found.shard, found.of, found.plants) == ("c-2of3", 2, 3, ["kandy"])
    assert (found.committed_at, found.unacknowledged, found.is_subscribed) == (WORKING.committed_at, 3, True)
    assert found.lag_s == 1.5
    assert found.is_connected(datetime.now(UTC))
    assert found.stopped_at is None
    await journal.beat(connection, AWAY, stopped=True)
    found = await row()
    assert not found.runs(datetime.now(UTC))
    assert (found.committed_at, found.plants) == (WORKING.committed_at, [])


async def test_it_notes_nothing_on_the_very_first_connection(connection: Connection) -> None:
    journal = Journal("c", WHOLE)
    journal.opened(False)
    await journal.beat(connection, WORKING)
    assert await events() == []


async def test_it_notes_a_session_that_is_lost_between_connections(connection: Connection) -> None:
    journal = Journal("c", WHOLE)
    journal.opened(False)
    await journal.beat(connection, WORKING)
    contact_at = (await row()).contact_at
    journal.opened(True)
    journal.opened(False)
    await journal.beat(connection, WORKING)
    assert await events() == [("session_lost", None)]
    event = await IngestEvent.objects.aget()
    assert contact_at is not None
    assert event.since is not None
    assert contact_at <= event.since <= event.at
    assert "what it held for us is gone" in event.detail.lower()


async def test_it_notes_a_session_that_is_lost_between_processes(connection: Connection) -> None:
    first = Journal("c", WHOLE)
    first.opened(False)
    await first.beat(connection, WORKING)
    await first.beat(connection, AWAY, stopped=True)
    contact_at = (await row()).contact_at
    second = Journal("c", WHOLE)
    second.opened(False)
    await second.beat(connection, WORKING)
    assert [(event.kind, event.since) async for event in IngestEvent.objects.all()] == [("session_lost", contact_at)]


async def test_it_notes_a_gap_after_the_database_is_back(connection: Connection) -> None:
    journal = Journal("c", WHOLE)
    journal.opened(False)
    await journal.beat(connection, WORKING)
    journal.opened(False)
    await connection.execute("ALTER TABLE ingest_event RENAME TO away")
    try:
        with pytest.raises(psycopg.Error):
            await journal.beat(connection, WORKING)
    finally:
        await connection.execute("ALTER TABLE away RENAME TO ingest_event")
    await journal.beat(connection, WORKING)
    await journal.beat(connection, WORKING)
    assert await events() == [("session_lost", None)]


async def test_it_notes_that_it_took_over_from_one_that_did_not_stop_in_order(connection: Connection) -> None:
    for stopped in (False, True):
        await Journal("c", WHOLE).beat(connection, WORKING, stopped=stopped)
        heir = Journal("c", WHOLE)
        heir.stood_by = True
        await heir.beat(connection, WORKING)
    assert await events() == [("took_over", None)]


async def test_it_shows_who_stands_by(connection: Connection) -> None:
    leader, standby = Journal("c", WHOLE), Journal("c", WHOLE)
    await leader.beat(connection, WORKING)
    assert not (await row()).has_standby(datetime.now(UTC))
    await standby.stand_by(connection)
    await leader.beat(connection, WORKING)
    assert (await row()).has_standby(datetime.now(UTC))


async def test_it_sums_up_drops_within_a_minute(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal("c", WHOLE)
    journal.dropped(500)  # of a time before us
    await journal.beat(connection, WORKING)
    for counter in (507, 510, 530):
        journal.dropped(counter)
        await journal.beat(connection, WORKING)
    assert await events() == [("broker_dropped", 7)]
    assert (await row()).broker_dropped == 507
    monkeypatch.setattr(journal_module, "DROPS_EVERY_S", 0.0)
    await journal.beat(connection, WORKING)
    assert await events() == [("broker_dropped", 7), ("broker_dropped", 23)]


async def test_it_notes_drops_of_the_time_in_which_no_ingest_ran(connection: Connection) -> None:
    first = Journal("c", WHOLE)
    first.dropped(5)
    await first.beat(connection, WORKING)
    second = Journal("c", WHOLE)
    second.dropped(12)
    await second.beat(connection, WORKING)
    assert await events() == [("broker_dropped", 7)]


async def counted() -> tuple[int, int, list[int], float, int]:
    found = await IngestTotal.objects.aget()
    return found.messages, found.rejected, found.commits, found.commit_s, found.dropped


async def test_it_counts_on_from_the_process_before_it(connection: Connection) -> None:
    for _ in range(2):
        journal, counters = Journal("c", WHOLE), Counters()
        state = State(True, True, frozenset(), None, 0, counters)
        counters.committed(3, 1, took_s=0.02, lag_s=0.1)
        await journal.beat(connection, state)
        counters.committed(2, 0, took_s=60.0, lag_s=60.0)
        await journal.beat(connection, state)
        await journal.beat(connection, state, stopped=True)
    commits = [0] * len(BOUNDS_S) + [2]
    commits[2] = 2
    messages, rejected, counts, seconds, _ = await counted()
    assert (messages, rejected, counts, round(seconds, 6)) == (10, 2, commits, 120.04)


async def test_it_counts_a_beat_once_whose_commit_it_did_not_hear_of(connection: Connection) -> None:
    journal, counters = Journal("c", WHOLE), Counters()
    counters.committed(3, 0, took_s=0.02, lag_s=0.1)
    state = State(True, True, frozenset(), None, 0, counters)
    await journal.beat(connection, state)
    journal._written = None  # as if the answer had not come
    await journal.beat(connection, state)
    assert (await counted())[0] == 3


async def test_it_sums_up_what_the_broker_drops_and_keeps_it_when_the_session_has_ended(connection: Connection) -> None:
    for counter in (5, 12, 4):  # the last by a broker that was started anew
        journal = Journal("c", WHOLE)
        journal.dropped(counter)
        await journal.beat(connection, WORKING, stopped=True)
    await journal.forget(connection)
    assert not await IngestShard.objects.aexists()
    assert (await counted())[4] == 11


def test_it_follows_the_brokers_counter_across_restarts() -> None:
    drops = Drops()
    for counter in (10, 15, 0, 3):
        drops.report(counter, datetime.now(UTC))
    assert drops.increase == 8
