"""Sensors in the admin show their latest readings, as the console does."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from plants.models import Machine, Plant, Sensor
from telemetry.models import Latest

LIST = "/admin/plants/sensor/"


def latest(slug: str, value: float, age_s: float, quality: int = 192) -> Sensor:
    sensor = Sensor.objects.get(slug=slug)
    time = now() - timedelta(seconds=age_s)
    Latest.objects.create(sensor=sensor, time=time, value=value, quality=quality, received_at=time)
    return sensor


@pytest.fixture
def as_bob(client: Client, bob: User, rotterdam: Plant) -> Client:
    client.force_login(bob)
    return client


def text_of(client: Client, path: str = LIST) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def live(text: str) -> Any:
    return json.loads(text.partition('<script id="live" type="application/json">')[2].partition("</script>")[0])


def cell(text: str, sensor: Sensor) -> str:
    """The opening tag of the cell with its value."""
    return text.partition(f'data-value="{sensor.number}"')[2].partition(">")[0]


def test_it_shows_value_unit_quality_and_how_fresh_it_is(as_bob: Client) -> None:
    Sensor.objects.filter(slug="temp").update(expected_interval_s=5)
    temp, rpm, state = latest("temp", 23.44, 60), latest("rpm", 1480, 1, 64), latest("state", 2, 7300)
    text = text_of(as_bob)
    assert '>23.4</b><span class="unit">&#8239;°C</span>' in text
    assert 'data-freshness="late" data-quality="good"' in cell(text, temp)
    assert 'data-freshness="fresh" data-quality="uncertain"' in cell(text, rpm)
    assert ">idle</b>" in text
    # On change, and the regular sensor of its machine still speaks.
    assert 'data-freshness="fresh"' in cell(text, state)
    assert '<span class="said">late</span>' in text


def test_it_says_where_there_is_no_reading_and_where_one_is_bad(as_bob: Client) -> None:
    rpm = latest("rpm", 1, 1, 0)
    text = text_of(as_bob)
    assert "no reading yet" in text
    assert 'data-quality="bad"' in cell(text, rpm)


def test_it_gives_the_script_the_sensors_of_the_page(as_bob: Client) -> None:
    temp = latest("temp", 23.4, 5)
    (plant,) = live(text_of(as_bob))
    assert (plant["slug"], plant["timezone"]) == ("kandy", "Asia/Colombo")
    (machine,) = plant["machines"]
    assert {sensor["name"] for sensor in machine["sensors"]} == {"Temperature", "Speed", "State"}
    assert next(each["reading"][1] for each in machine["sensors"] if each["number"] == temp.number) == 23.4


def test_it_gives_the_script_also_those_that_say_how_fresh_the_page_is(as_bob: Client) -> None:
    Sensor.objects.filter(slug="temp").update(expected_interval_s=5)
    latest("temp", 23.4, 5)
    state = latest("state", 1, 7300)
    text = text_of(as_bob, f"{LIST}?q=state")
    (plant,) = live(text)
    assert [each["name"] for each in plant["machines"][0]["sensors"]] == ["State", "Temperature"]
    assert 'data-freshness="fresh"' in cell(text, state)


def test_it_has_nothing_to_follow_where_nothing_is_found(as_bob: Client) -> None:
    assert live(text_of(as_bob, f"{LIST}?q=nowhere")) == []


def test_it_shows_the_same_on_the_sensors_own_page(as_bob: Client) -> None:
    temp = latest("temp", 23.44, 7300)
    text = text_of(as_bob, f"{LIST}{temp.pk}/change/")
    assert ">23.4</b>" in text
    assert 'data-freshness="stale"' in cell(text, temp)


def test_it_asks_as_much_for_one_as_for_many(as_bob: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(100) as few:
        text_of(as_bob)
    zone = Machine.objects.get(slug="roller-2").zone
    for n in range(10):
        machine = Machine.objects.create(zone=zone, slug=f"m{n}", name="Machine")
        for slug, interval_s in (("on-change", None), ("regular", 5.0)):
            Sensor.objects.create(machine=machine, slug=f"{slug}-{n}", name="Sensor", expected_interval_s=interval_s)
            latest(f"{slug}-{n}", n, 1)
    with django_assert_max_num_queries(len(few)):
        text_of(as_bob)
