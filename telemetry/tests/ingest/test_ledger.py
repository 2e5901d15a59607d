"""The ledger: every sample is in it, once, under its source and with what became of it."""

import random

import psycopg
import pytest
from django.db import connection
from django.utils.timezone import now

from telemetry.ingest.ledger import OTHERS, STRANGERS, Kind
from telemetry.ingest.store import Store
from telemetry.models import LedgerEntry
from telemetry.readings import Reading
from telemetry.tests.samples import dead, us

pytestmark = pytest.mark.django_db(transaction=True)

T0 = us(now().replace(microsecond=0)) - 3_600_000_000
SECOND = 1_000_000
ROLLER, MIXER = "kandy/rolling/roller-2", "kandy/mixing/mixer-1"


def entries() -> dict[str, dict[str, int]]:
    """What the ledger says of each source, without zeros; a test may run over the end of a minute."""
    found: dict[str, dict[str, int]] = {}
    for entry in LedgerEntry.objects.all():
        counts = found.setdefault(entry.source, {})
        for name in ("received", "stored", "duplicate", "conflict", "late", "dead"):
            if getattr(entry, name):
                counts[name] = counts.get(name, 0) + getattr(entry, name)
    return found


def test_it_enters_what_became_of_each_sources_samples(store: Store, number: int) -> None:
    rows: list[Reading] = [(number, T0 + i * SECOND, 1.0, 192) for i in range(5)]
    store.write(rows, receipts=[(ROLLER, 2, 2, 0), (MIXER, 3, 2, 1), (ROLLER, 1, 1, 0)])
    assert entries() == {
        ROLLER: {"received": 3, "stored": 3},
        MIXER: {"received": 3, "stored": 2, "dead": 1},
    }


def test_it_tells_what_came_again_from_what_contradicts(store: Store, number: int) -> None:
    store.write([(number, T0, 1.0, 192)], receipts=[(ROLLER, 1, 1, 0)])
    again: list[Reading] = [(number, T0, 1.0, 192), (number, T0, 2.0, 192), (number, T0 + SECOND, 1.0, 192)]
    store.write(again, receipts=[(ROLLER, 2, 2, 0), (MIXER, 1, 1, 0)])
    assert entries() == {
        ROLLER: {"received": 3, "stored": 1, "duplicate": 1, "conflict": 1},
        MIXER: {"received": 1, "stored": 1},
    }


def test_it_counts_as_late_what_is_older_than_the_latest_was(store: Store, number: int) -> None:
    store.write([(number, T0 + 10 * SECOND, 1.0, 192)], receipts=[(ROLLER, 1, 1, 0)])
    mixed: list[Reading] = [(number, T0 + i * SECOND, 1.0, 192) for i in (3, 12, 11, 5)]
    assert store.write(mixed, receipts=[(ROLLER, 4, 4, 0)]).late == 2
    assert entries()[ROLLER] == {"received": 5, "stored": 5, "late": 2}


def test_it_counts_as_dead_what_only_the_database_refuses(store: Store, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE reading ADD CONSTRAINT no_666 CHECK (value <> 666)")
    try:
        rows: list[Reading] = [(number, T0 + i * SECOND, 666.0 if i == 2 else 1.0, 192) for i in range(4)]
        store.write(rows, receipts=[(MIXER, 2, 2, 0), (ROLLER, 2, 2, 0)])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE reading DROP CONSTRAINT no_666")
    assert entries() == {MIXER: {"received": 2, "stored": 2}, ROLLER: {"received": 2, "stored": 1, "dead": 1}}
    assert dead(Kind.MQTT) == {"database_rejected": 1}


def test_it_matches_after_any_history(store: Store, number: int) -> None:
    chance = random.Random(7)
    for _ in range(30):
        rows: list[Reading] = [
            (number, T0 + chance.randrange(40) * SECOND, float(chance.randrange(2)), 192)
            for _ in range(chance.randrange(1, 30))
        ]
        cut = chance.randrange(len(rows) + 1)
        store.write(rows, receipts=[(ROLLER, cut, cut, 0), (MIXER, len(rows) - cut + 1, len(rows) - cut, 1)])
    for counts in entries().values():
        assert counts["received"] == sum(counts.get(name, 0) for name in ("stored", "duplicate", "conflict", "dead"))
    assert sum(counts["stored"] for counts in entries().values()) == 40


def test_it_says_nothing_of_what_was_not_committed(store: Store, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger RENAME TO elsewhere")
    try:
        with pytest.raises(psycopg.Error):
            store.write([(number, T0, 1.0, 192)], receipts=[(ROLLER, 1, 1, 0)])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO ledger")
    store.write([(number, T0, 1.0, 192)], receipts=[(ROLLER, 1, 1, 0)])
    assert entries() == {ROLLER: {"received": 1, "stored": 1}}


def test_it_names_only_so_many_sources_that_send_nothing_but_rubbish(store: Store, number: int) -> None:
    for made_up in range(STRANGERS + 20):
        store.write([], receipts=[(f"kandy/made-up/{made_up}", 1, 0, 1)])
    store.write([(number, T0, 1.0, 192)], receipts=[(ROLLER, 1, 1, 0)])
    found = entries()
    assert len(found) == STRANGERS + 2
    assert found[OTHERS] == {"received": 20, "dead": 20}
    assert found[ROLLER] == {"received": 1, "stored": 1}


def test_it_keeps_the_ways_apart_by_which_samples_come(number: int) -> None:
    for kind in Kind:
        store = Store(kind=kind)
        store.write([(number, T0, 1.0, 192)], receipts=[("kandy/gateway", 1, 1, 0)])
        store.close()
    assert set(LedgerEntry.objects.values_list("kind", flat=True)) == {str(kind) for kind in Kind}


def test_it_sums_up_why_samples_are_dead(store: Store, number: int) -> None:
    store.write([(number, T0, 1.0, 192)], receipts=[(ROLLER, 3, 1, 2)], reasons={"bad_quality": 2})
    store.write([], receipts=[(MIXER, 2, 0, 2)], reasons={"bad_quality": 1, "not_a_number": 1})
    assert dead(Kind.MQTT) == {"bad_quality": 3, "not_a_number": 1}
