from datetime import UTC, datetime, timedelta

import pytest

from plants.models import Machine, Plant, Sensor
from telemetry.models import LedgerEntry
from telemetry.queries.overview_page import overview_page
from telemetry.queries.rates import rates_of_last_hour
from telemetry.tests.conftest import Store

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
MINUTE = NOW.replace(second=0)


def entry(source: str, minutes_ago: int, stored: int, kind: str = "mqtt") -> LedgerEntry:
    minute = MINUTE - timedelta(minutes=minutes_ago)
    nothing = dict.fromkeys(("duplicate", "conflict", "late", "dead"), 0)
    return LedgerEntry(minute=minute, kind=kind, source=source, received=stored, stored=stored, **nothing)


@pytest.fixture
def ledger(kandy: Plant) -> None:
    LedgerEntry.objects.bulk_create(
        [
            entry("kandy/rolling/roller-2", 61, 60),
            entry("kandy/rolling/roller-2", 2, 120),
            entry("kandy/rolling/roller-1", 2, 60),
            entry("kandy/rolling/roller-2", 1, 30),
            entry("kandy/rolling/roller-2", 0, 600),
            entry("kandy/history.csv", 1, 6000, kind="import"),
            entry("kandy-2/rolling/roller-1", 1, 60),
        ]
    )


def test_it_tells_a_plants_rate_minute_by_minute(ledger: None) -> None:
    assert rates_of_last_hour(["kandy", "rotterdam"], NOW) == {
        "kandy": [(MINUTE - timedelta(minutes=2), 3.0), (MINUTE - timedelta(minutes=1), 0.5)],
        "rotterdam": [],
    }


def test_it_adds_up_the_rates_of_all_plants(ledger: None, kandy: Plant, rotterdam: Plant) -> None:
    LedgerEntry.objects.bulk_create([entry("rotterdam/filling/filler", 1, 120)])
    found = overview_page([kandy, rotterdam], NOW)

    assert found.rates == [(MINUTE - timedelta(minutes=2), 3.0), (MINUTE - timedelta(minutes=1), 2.5)]


def test_it_counts_the_readings_of_each_plant(kandy: Plant, rotterdam: Plant, store: Store) -> None:
    store(Sensor.objects.get(slug="temp"), [(NOW - timedelta(seconds=second), 1.0) for second in range(0, 60, 2)])
    found = overview_page([kandy, rotterdam], NOW)

    assert [card.rate for card in found.cards] == [0.5, 0]
    assert found.rate == 0.5


def test_it_shows_of_a_zone_the_first_value_of_its_first_machine(kandy: Plant, store: Store) -> None:
    machine = Machine.objects.get()
    Machine.objects.create(zone=machine.zone, slug="empty", name="Empty")
    store(Sensor.objects.get(slug="temp"), [(NOW - timedelta(minutes=5), 4.0)])
    (card,) = overview_page([kandy], NOW).cards

    assert card.zones[0].machine is not None
    assert card.zones[0].key is not None
    assert card.zones[0].machine.machine == machine
    assert card.zones[0].key.sensor.slug == "temp"
    assert [value for _, value in card.zones[0].key.points] == [4.0]


@pytest.mark.django_db
def test_it_has_nothing_to_tell_without_a_plant() -> None:
    found = overview_page([], NOW)

    assert (found.cards, found.rates, found.rate, found.not_reporting) == ([], [], 0, [])
