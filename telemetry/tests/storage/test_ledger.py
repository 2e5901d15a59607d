"""Closing the ledger's minutes: each once, summed up, and never silent about one that doesn't match."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from telemetry.ingest.store import connect
from telemetry.models import IngestEvent, LedgerEntry, LedgerTotal
from telemetry.storage.ledger import check, forget

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def database() -> Iterator[psycopg.Connection]:
    with connect() as connection:
        row = connection.execute("SELECT checked_to FROM ledger_state").fetchone()
        connection.execute("UPDATE ledger_state SET checked_to = %s", [NOON - 10 * MINUTE])
        yield connection
        connection.execute("UPDATE ledger_state SET checked_to = %s", row)


def entry(minutes: int, **counts: int) -> None:
    values: dict[str, Any] = dict.fromkeys(("received", "stored", "duplicate", "conflict", "late", "dead"), 0) | counts
    LedgerEntry.objects.create(minute=NOON + minutes * MINUTE, kind="mqtt", source="kandy/rolling/roller-2", **values)


def total() -> tuple[int, int]:
    found = LedgerTotal.objects.filter(kind="mqtt").first()
    return (found.received, found.stored) if found else (0, 0)


def test_it_adds_each_minute_to_the_totals_once(database: psycopg.Connection) -> None:
    entry(-5, received=7, stored=7)
    entry(-4, received=2, stored=1, dead=1)
    assert check(database, NOON).broken == []
    check(database, NOON)
    assert total() == (9, 8)


def test_it_leaves_a_minute_to_which_something_may_still_be_added(database: psycopg.Connection) -> None:
    entry(-2, received=1, stored=1)
    entry(-1, received=1, stored=1)
    assert check(database, NOON + timedelta(seconds=59)).until == NOON - 2 * MINUTE
    assert total() == (0, 0)
    check(database, NOON + MINUTE)
    assert total() == (1, 1)


def test_it_tells_of_a_minute_that_does_not_match(database: psycopg.Connection) -> None:
    entry(-5, received=7, stored=7)
    entry(-4, received=3, stored=1, dead=1)
    (broken,) = check(database, NOON).broken
    assert (broken.minute, broken.received, broken.stored, broken.dead) == (NOON - 4 * MINUTE, 3, 1, 1)
    assert check(database, NOON).broken == []  # told once
    event = IngestEvent.objects.get()
    assert (event.kind, event.since, event.count) == ("ledger_broken", NOON - 4 * MINUTE, 1)
    assert "3 received, but 1 stored" in event.detail


def test_it_never_goes_back_when_the_clock_does(database: psycopg.Connection) -> None:
    until = check(database, NOON).until
    assert check(database, NOON - 5 * MINUTE).until == until


def test_it_forgets_only_what_is_closed(database: psycopg.Connection) -> None:
    entry(-9, received=1, stored=1)
    entry(-1, received=1, stored=1)
    check(database, NOON)
    assert forget(database, NOON + 60 * MINUTE) == 1
    assert LedgerEntry.objects.get().minute == NOON - MINUTE
    assert total() == (1, 1)
