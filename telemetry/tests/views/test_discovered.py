"""The page of discovered sensors: who sees which, adopting and ignoring; how a sensor is made is tested elsewhere."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.models import DiscoveredSensor, QuarantinedSample, Reading
from telemetry.tests.samples import EPOCH

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/discovered-sensors/"
HOSTILE = "<script>alert(1)</script>"


def discover(plant: Plant, slug: str = "oil-temp", **fields: Any) -> DiscoveredSensor:
    """Of roller-2, with a sample in the quarantine."""
    now = datetime.now(UTC)
    entry = DiscoveredSensor.objects.create(
        **{
            "plant": plant,
            "address": f"{plant.slug}/rolling/roller-2/{slug}",
            "first_seen": now,
            "last_seen": now,
            "count": 1,
            "kept": 1,
            "last_time": now,
            "last_value": 48.25,
            "last_quality": 192,
        }
        | fields
    )
    QuarantinedSample.objects.create(discovered=entry.number, time=now, value=48.25, quality=192)
    return entry


def shown(client: Client, query: str = "") -> list[str]:
    page = client.get(f"{LIST}{query}").content.decode()
    return re.findall(r'<a href="/discovered-sensors/[0-9a-f-]+/">([^<]+)</a></th>', page)


def url_of(entry: DiscoveredSensor) -> str:
    return reverse("discovered_sensor", args=[entry.pk])


def states() -> dict[str, str]:
    rows = DiscoveredSensor.objects.values_list("address", "state")
    return {address.rpartition("/")[2]: state for address, state in rows}


@pytest.fixture
def operator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def test_it_does_not_exist_for_viewers(client: Client, vera: User, kandy: Plant) -> None:
    entry = discover(kandy)
    assert client.get(LIST)["Location"] == f"/login/?next={LIST}"
    client.force_login(vera)
    assert client.get(LIST).status_code == client.get(url_of(entry)).status_code == 404
    assert LIST not in client.get("/").content.decode()


def test_it_lists_what_ones_own_plants_do_not_know(operator: Client, kandy: Plant, rotterdam: Plant) -> None:
    mine, foreign = discover(kandy), discover(rotterdam)
    discover(kandy, "noise", state="ignored")
    assert shown(operator) == [mine.address]
    assert shown(operator, "?state=ignored") == ["kandy/rolling/roller-2/noise"]
    assert shown(operator, "?plant=rotterdam") == []
    assert operator.get(url_of(foreign)).status_code == 404


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?state=nosuch", "There is no state “nosuch”: these are the new ones."),
        ("?plant=rotterdam", "There is no plant “rotterdam”, so no sensor is from it."),
    ],
)
def test_it_says_what_of_the_url_it_does_not_know(
    operator: Client, kandy: Plant, rotterdam: Plant, query: str, said: str
) -> None:
    known = operator.get(f"{LIST}?state=ignored&plant=kandy").content.decode()

    assert f"<span>{said}" in operator.get(f"{LIST}{query}").content.decode()
    assert "<span>There is no" not in known


def test_it_guesses_from_the_name(operator: Client, kandy: Plant) -> None:
    discover(kandy)
    page = operator.get(LIST).content.decode()
    assert "Oil temp<p>gauge, temperature, °C</p>" in page
    assert "48.25" in page


def test_it_counts_in_the_navigation(operator: Client, kandy: Plant) -> None:
    discover(kandy)
    discover(kandy, "noise")
    assert 'Discovered</span><b class="count">2<' in operator.get("/").content.decode()


def test_it_adopts_the_selected_with_their_history(operator: Client, kandy: Plant) -> None:
    entry = discover(kandy)
    discover(kandy, "noise")
    page = operator.post(LIST, {"action": "adopt", "entry": entry.pk}, follow=True).content.decode()
    assert "<b>1 adopted.</b> 1 reading stored." in page
    assert states() == {"oil-temp": "adopted", "noise": "new"}
    assert Reading.objects.get().sensor_id == Sensor.objects.get(slug="oil-temp").number


def test_it_adopts_all_that_match(operator: Client, kandy: Plant, rotterdam: Plant) -> None:
    discover(kandy)
    discover(rotterdam, "foreign")
    discover(kandy, "noise", state="ignored")
    operator.post(LIST, {"action": "adopt", "everything": "1"})
    assert states() == {"oil-temp": "adopted", "foreign": "new", "noise": "ignored"}


def test_it_ignores_and_takes_it_back(operator: Client, kandy: Plant) -> None:
    entry = discover(kandy)
    page = operator.post(LIST, {"action": "ignore", "entry": entry.pk}, follow=True).content.decode()
    assert "1 ignored." in page
    assert states() == {"oil-temp": "ignored"}
    operator.post(url_of(entry), {"action": "unignore"})
    assert states() == {"oil-temp": "new"}


def test_it_fills_the_form_with_the_guess(operator: Client, kandy: Plant) -> None:
    page = operator.get(url_of(discover(kandy))).content.decode()
    assert 'name="name" value="Oil temp"' in page
    assert 'name="unit" value="°C"' in page
    assert '<option value="gauge" selected>' in page


FIELDS = {"name": "Oil", "type": "temperature", "unit": "K", "kind": "gauge", "states": "{}", "decimals": "2"}


def test_it_adopts_as_the_form_says(operator: Client, kandy: Plant) -> None:
    operator.post(url_of(discover(kandy)), {"action": "adopt", **FIELDS})
    sensor = Sensor.objects.get(slug="oil-temp")
    assert (sensor.name, sensor.unit, sensor.decimals) == ("Oil", "K", 2)
    assert states() == {"oil-temp": "adopted"}


def test_it_says_what_to_mend(operator: Client, kandy: Plant) -> None:
    response = operator.post(url_of(discover(kandy)), {"action": "adopt", **FIELDS, "kind": "state"})
    assert "A sensor of kind state needs at least one label." in response.content.decode()
    assert states() == {"oil-temp": "new"}


def test_it_stores_later_what_stayed(operator: Client, kandy: Plant) -> None:
    """A sample before the window stays in the quarantine, until the window allows it."""
    entry = discover(kandy)
    QuarantinedSample.objects.update(time=EPOCH)
    page = operator.post(LIST, {"action": "adopt", "entry": entry.pk}, follow=True).content.decode()
    assert "1 sample could not be stored and stays in the quarantine." in page
    QuarantinedSample.objects.update(time=datetime.now(UTC))
    assert "Store the 1 that stayed" in operator.get(url_of(entry)).content.decode()
    operator.post(url_of(entry), {"action": "store"})
    assert Reading.objects.count() == 1


def test_it_shows_what_was_sent_as_text(operator: Client, kandy: Plant) -> None:
    entry = discover(kandy, last_value=None, last_label=HOSTILE)
    QuarantinedSample.objects.update(value=None, label=HOSTILE)
    for path in (LIST, url_of(entry)):
        page = operator.get(path).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_it_asks_the_database_a_fixed_number_of_times(operator: Client, kandy: Plant) -> None:
    discover(kandy)
    with CaptureQueriesContext(connection) as few:
        operator.get(LIST)
    for number in range(10):
        discover(kandy, f"s{number}")
    with CaptureQueriesContext(connection) as many:
        operator.get(LIST)
    assert len(many) == len(few)
