"""The admin's reading explorer."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from plants.models import Plant
from telemetry.queries.explorer import PAGE, page_of
from telemetry.tests.samples import TEMP, store_series

pytestmark = pytest.mark.django_db(transaction=True)  # the store has a connection of its own

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=123_000) - timedelta(hours=3)
PATH = "/admin/readings/"


@pytest.fixture
def as_bob(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def text_of(client: Client, query: str) -> str:
    response = client.get(f"{PATH}?{query}")
    assert response.status_code == 200
    return response.content.decode()


def values(text: str) -> list[float]:
    return [float(each) for each in re.findall(r'<td class="amount">(-?[\d.]+)<', text)]


def test_it_shows_readings_as_they_are_stored(as_bob: Client) -> None:
    store_series(TEMP, [(START, 23.456789)])
    text = text_of(as_bob, f"sensor={TEMP}")
    local = START + timedelta(hours=5.5)
    assert f"{local:%Y-%m-%d %H:%M:%S}.123 +05:30" in text
    assert values(text) == [23.456789]
    assert "Value, °C" in text
    assert re.search(r'192 <span class="word reading" data-quality="good">good<', text)


def test_it_pages_from_the_newest_to_the_oldest(as_bob: Client) -> None:
    store_series(TEMP, [(START + timedelta(seconds=n), float(n)) for n in range(PAGE + 5)])
    first = text_of(as_bob, f"sensor={TEMP}")
    assert values(first) == [float(n) for n in range(PAGE + 4, 4, -1)]
    older = re.search(r'<a href="\?([^"]+)" rel="next"', first)
    assert older is not None
    second = text_of(as_bob, older[1].replace("&amp;", "&"))
    assert values(second) == [4, 3, 2, 1, 0]
    assert 'rel="next"' not in second


def test_it_takes_a_range_in_the_plants_time(as_bob: Client) -> None:
    store_series(TEMP, [(START + timedelta(minutes=n), float(n)) for n in range(5)])
    local = START + timedelta(hours=5.5)
    begin, end = (f"{local + timedelta(minutes=n):%Y-%m-%dT%H:%M:%S}" for n in (1, 3))
    text = text_of(as_bob, f"sensor={TEMP}&from={begin}&to={end}&zone=Asia/Colombo")
    assert values(text) == [2, 1]


def test_it_gives_all_of_the_range_as_csv(as_bob: Client) -> None:
    store_series(TEMP, [(START, 23.4)])
    link = re.search(r'href="([^"]+)">CSV', text_of(as_bob, f"sensor={TEMP}"))
    assert link is not None
    assert link[1].startswith("/api/v1/telemetry/export?")
    assert f"sensor_id={TEMP}&amp;start=" in link[1]


@pytest.mark.parametrize("query", ["before=noon", "before=99999999999999999999999", "range=9y", "from=noon&to=1"])
def test_it_shows_something_for_a_mistyped_link(as_bob: Client, query: str) -> None:
    store_series(TEMP, [(START, 23.4)])
    assert values(text_of(as_bob, f"sensor={TEMP}&{query}")) == [23.4]


def test_it_offers_only_sensors_that_exist_for_the_user(as_bob: Client, rotterdam: Plant) -> None:
    text = text_of(as_bob, "")
    assert f'<option value="{TEMP}">' in text
    assert "rotterdam" not in text
    assert as_bob.get(f"{PATH}?sensor=rotterdam/mixing/mixer-1/power").status_code == 404


def test_it_is_linked_from_the_sensor(as_bob: Client) -> None:
    sensor = store_series(TEMP, [(START, 23.4)])
    text = as_bob.get(f"/admin/plants/sensor/{sensor.pk}/change/").content.decode()
    assert f"{PATH}?sensor={sensor.pk}" in text


def test_it_counts_nothing(kandy: Plant, django_assert_num_queries: Any) -> None:
    sensor = store_series(TEMP, [(START, 23.4)])
    with django_assert_num_queries(1) as asked:
        page_of(sensor, START, START + timedelta(hours=1))
    assert "COUNT" not in asked[0]["sql"].upper()


def test_it_draws_all_of_the_range_in_one(as_bob: Client) -> None:
    store_series(TEMP, [(START + timedelta(minutes=n), float(n)) for n in range(PAGE + 50)])
    text = text_of(as_bob, f"sensor={TEMP}")
    assert "good values from 0.0 to 149.0 °C" in text
    assert re.search(r'<path class="line" d="M[\d.]+ [\d.]+L', text)


def test_it_draws_nothing_where_there_is_nothing(as_bob: Client) -> None:
    assert "<figure" not in text_of(as_bob, f"sensor={TEMP}")
