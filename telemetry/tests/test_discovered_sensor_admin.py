"""Discovered sensors in the admin: looked at, adopted and ignored, never edited."""

import time
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.ingest.quarantine import Room, put
from telemetry.ingest.store import connect
from telemetry.models import DiscoveredSensor, Reading

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/telemetry/discoveredsensor/"
NEW = "kandy/drying/dryer-1/inlet-temp"
NOW_US = time.time_ns() // 1000


@pytest.fixture
def entry(client: Client, bob: User, kandy: Plant, rotterdam: Plant) -> DiscoveredSensor:
    client.force_login(bob)
    return discover(NEW, 80.5, 81.5, 82.5)


def discover(address: str, *values: float | str) -> DiscoveredSensor:
    samples = [(address, NOW_US - 5_000_000 * ago, value, 192) for ago, value in enumerate(reversed(values))]
    with connect() as database, database.transaction(), database.cursor() as cursor:
        put(cursor, samples, Room(1000, 1000, 100))
    return DiscoveredSensor.objects.get(address=address)


def act(client: Client, action: str, entry: DiscoveredSensor, query: str = "") -> str:
    data: dict[str, Any] = {"action": action, "_selected_action": [str(entry.pk)]}
    return client.post(f"{LIST}{query}", data, follow=True).content.decode()


def test_it_lists_what_is_new_with_its_newest_sample(client: Client, entry: DiscoveredSensor) -> None:
    discover("rotterdam/a/b/c", 1.0)
    page = client.get(LIST).content.decode()
    assert NEW in page
    assert "82.5" in page
    assert "rotterdam" not in page


def test_it_shows_the_guess(client: Client, entry: DiscoveredSensor) -> None:
    page = client.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert "Inlet temp: gauge, temperature in °C, every 5 s" in page


def test_it_adopts_the_selected(client: Client, entry: DiscoveredSensor) -> None:
    assert "1 adopted, 3 readings stored." in act(client, "adopt", entry)
    assert Reading.objects.filter(sensor=Sensor.objects.get(slug="inlet-temp")).count() == 3
    assert NEW not in client.get(LIST).content.decode()
    assert NEW in client.get(f"{LIST}?state=adopted").content.decode()


def test_it_says_what_stays_in_the_quarantine(client: Client, entry: DiscoveredSensor) -> None:
    mixed = discover("kandy/drying/dryer-1/outlet-temp", 80.5, 81.5, "broken")
    assert "1 samples stay in the quarantine: not_a_number." in act(client, "adopt", mixed)


def test_it_ignores_the_selected_and_takes_that_back(client: Client, entry: DiscoveredSensor) -> None:
    assert "1 ignored." in act(client, "ignore", entry)
    assert NEW not in client.get(LIST).content.decode()
    assert "1 new again." in act(client, "unignore", entry, "?state=ignored")
    assert NEW in client.get(LIST).content.decode()
