"""The alarms page, the page of one alarm, and what every page shows of alarms."""

import re
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Alarm, Source
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor
from telemetry.design import ALARMS
from telemetry.tests.conftest import Store

HIGH = "Roller 2: temperature high"


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    return Sensor.objects.get(slug="temp")


@pytest.fixture
def alarm(temp: Sensor) -> Alarm:
    return make_alarm(temp, trigger_value=81.25)


def page(client: Client, user: User, url: str) -> str:
    client.force_login(user)
    return client.get(url).content.decode()


def test_it_says_that_nothing_calls(client: Client, vera: User) -> None:
    html = page(client, vera, "/alarms/")
    assert "No open alarms" in html
    assert "data-alarm=" not in html
    assert 'title="Alarms" aria-current="page"' in html


def test_it_lists_the_waiting_before_the_acknowledged() -> None:
    html = render_to_string("telemetry/_alarm_list.html", {"alarms": ALARMS, "may_operate": True})
    positions = [html.index(f">{row.title}<") for row in (*ALARMS.waiting, *ALARMS.acknowledged)]
    assert positions == sorted(positions)
    assert html.count("data-wants") == len(ALARMS.waiting)


@pytest.mark.parametrize("url", ["/alarms/", "/alarms/{}/", "/plants/kandy/rolling/roller-2/"])
def test_it_lets_viewers_change_nothing(client: Client, alarm: Alarm, vera: User, bob: User, url: str) -> None:
    url = url.format(alarm.pk)
    assert 'value="acknowledge"' in (html := page(client, bob, url)) or 'name="acknowledge"' in html
    html = page(client, vera, url)
    assert HIGH in html
    for button in ('value="acknowledge"', 'name="acknowledge"', 'value="shelve"', 'name="ids"', "data-sound"):
        assert button not in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("plant=kandy&severity=high&q=temp", True),
        ("q=ROLLER", True),
        ("q=rolling", True),
        ("plant=rotterdam", False),
        ("severity=critical", False),
        ("q=vibration", False),
    ],
)
def test_it_finds_by_plant_severity_and_words(
    client: Client, alarm: Alarm, alice: User, rotterdam: Plant, query: str, found: bool
) -> None:
    assert (f'data-alarm="{alarm.pk}"' in page(client, alice, f"/alarms/?{query}")) == found


def test_it_counts_the_severities_that_its_filter_leaves_out(client: Client, alarm: Alarm, bob: User) -> None:
    html = page(client, bob, "/alarms/?severity=low")
    assert 'href="?severity=high"' in html
    assert "</b> <span>1</span>" in html


@pytest.mark.parametrize("query", ["severity=dreadful", "plant=nowhere"])
def test_it_says_what_of_the_url_means_nothing(client: Client, alarm: Alarm, bob: User, query: str) -> None:
    assert "data-wrong" in page(client, bob, f"/alarms/?{query}")


def test_it_finds_closed_ones_page_by_page(client: Client, alarm: Alarm, temp: Sensor, bob: User) -> None:
    for minute in range(51):
        make_alarm(
            temp,
            raised_at=now() - timedelta(minutes=minute + 1),
            title=f"number {minute}",
            rule=alarm.rule,
            state="closed",
        )
    html = page(client, bob, "/alarms/?show=closed")
    assert html.count("data-alarm=") == 50
    assert HIGH not in html.split("<main")[1]
    before = html.split("before=")[1].split('"')[0]
    html = page(client, bob, f"/alarms/?show=closed&before={before}")
    assert html.count("data-alarm=") == 1
    assert "number 50" in html


def test_it_shows_what_is_shelved_apart(client: Client, alarm: Alarm, bob: User) -> None:
    alarm.shelve(Actor(bob, Source.API), now() + timedelta(hours=2), "Probe is being calibrated")
    for url in ("/alarms/", "/alarms/?show=shelved"):
        html = page(client, bob, url)
        assert "data-alarm=" not in html
        assert "Probe is being calibrated" in html
        assert f'name="unshelve" value="{alarm.pk}"' in html


def test_it_shows_the_journal_of_one(client: Client, alarm: Alarm, bob: User, vera: User) -> None:
    alarm.acknowledge(Actor(bob, Source.API), "It is <b>hot</b>.")
    html = page(client, vera, f"/alarms/{alarm.pk}/")
    assert "It is &lt;b&gt;hot&lt;/b&gt;." in html
    assert "Bob<span>API</span>" in html
    assert "Look at the bearing." in html
    assert "/trend/?sensor=kandy/rolling/roller-2/temp" in html


@pytest.mark.parametrize("url", ["/", "/plants/kandy/", "/plants/kandy/rolling/roller-2/", "/trend/", "/dead-letters/"])
def test_it_calls_on_every_page(client: Client, alarm: Alarm, bob: User, url: str) -> None:
    html = page(client, bob, url)
    assert "1 not acknowledged" in html
    assert HIGH in html
    assert "81.2\u202f°C, limit 80" in html or "81.3\u202f°C, limit 80" in html
    assert f'name="acknowledge" value="{alarm.pk}"' in html


def test_it_calls_nobody_for_what_is_acknowledged(client: Client, alarm: Alarm, bob: User) -> None:
    alarm.acknowledge(Actor(bob, Source.PAGE))
    assert "alarm-banner" not in page(client, bob, "/trend/").split("<body")[1]


def test_it_calls_nobody_of_another_plant(client: Client, alarm: Alarm, charlie: User) -> None:
    for url in ("/", "/alarms/", "/alarms/banner?of=overview"):
        assert HIGH not in page(client, charlie, url)


@pytest.mark.parametrize("of", ["", "of=overview", "of=plant&plant=kandy", "of=machine&machine={}"])
def test_it_gives_what_changes_as_a_fragment(client: Client, alarm: Alarm, temp: Sensor, bob: User, of: str) -> None:
    html = page(client, bob, f"/alarms/banner?{of.format(temp.machine_id)}")
    assert "<html" not in html
    assert 'data-part="banner"' in html
    assert (f'data-of-sensor="{temp.number}" data-mark="high"' in html) == bool(of)


@pytest.mark.parametrize("of", ["of=plant&plant=kandy", "of=machine&machine={}", "of=machine&machine=x"])
def test_it_gives_no_fragment_of_another_plant(client: Client, temp: Sensor, charlie: User, of: str) -> None:
    client.force_login(charlie)
    assert client.get(f"/alarms/banner?{of.format(temp.machine_id)}").status_code == 404


@pytest.mark.parametrize("url", ["/", "/alarms/banner?of=overview"])
def test_it_says_the_worst_alarm_of_each_plant_and_counts_those_of_each_zone(
    client: Client, alarm: Alarm, rotterdam: Plant, temp: Sensor, bob: User, url: str
) -> None:
    make_alarm(Sensor.objects.get(slug="rpm"), severity="critical", title="Roller 2: speed low")

    html = page(client, bob, url)

    (worst,) = re.findall(r'data-part="worst-alarm-kandy">.*?</div>', html)
    assert 'data-worst-alarm="critical"' in worst
    assert "Roller 2: speed low" in worst
    zone = temp.machine.zone_id
    (counts,) = re.findall(rf'data-part="zone-{zone}">(.*?)</span>\n', html)
    assert counts.count("<svg") == 2
    assert "rotterdam" not in html


def test_it_says_a_fault_where_the_alarms_of_the_plant_are_not_as_bad(
    client: Client, alarm: Alarm, store: Store, bob: User
) -> None:
    Alarm.objects.update(severity="medium")
    assert "data-calls" in page(client, bob, "/")
    store(Sensor.objects.get(slug="state"), [(now(), 3)])

    html = page(client, bob, "/")

    assert "data-calls" not in html
    assert "Roller 2 in fault" in html


def test_it_colours_no_value_that_is_normal_again(client: Client, temp: Sensor, vera: User) -> None:
    make_alarm(temp, state="cleared")
    html = page(client, vera, "/plants/kandy/")
    assert f'data-sensor="{temp.number}" data-freshness="none" data-quality="good">' in html
    assert 'data-standing="cleared"' in html.partition(f'data-sensor="{temp.number}"')[2]


@pytest.mark.parametrize("url", ["/", "/plants/kandy/", "/plants/kandy/rolling/roller-2/"])
def test_it_marks_the_sensors_value(client: Client, alarm: Alarm, temp: Sensor, vera: User, url: str) -> None:
    html = page(client, vera, url)
    assert f'data-sensor="{temp.number}" data-freshness="none" data-quality="good" data-severity="high"' in html
