"""What people do with alarms in pages, as a browser without a script posts it."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, Source
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor


@pytest.fixture
def alarm(kandy: Plant) -> Alarm:
    return make_alarm(Sensor.objects.get(slug="temp"))


@pytest.fixture
def other(alarm: Alarm) -> Alarm:
    return make_alarm(Sensor.objects.get(slug="rpm"))


def post(client: Client, user: User, form: dict[str, Any], url: str = "/alarms/") -> str:
    """The page that is shown afterwards."""
    client.force_login(user)
    return client.post(url, form, follow=True).content.decode()


def test_it_acknowledges_those_selected(client: Client, alarm: Alarm, other: Alarm, bob: User) -> None:
    html = post(client, bob, {"action": "acknowledge", "ids": [str(alarm.pk), str(other.pk)]})
    assert "2 alarms acknowledged." in html
    assert set(Alarm.objects.values_list("state", "acknowledged_by")) == {("acknowledged", bob.pk)}
    assert set(AlarmEvent.objects.values_list("kind", "source", "actor")) == {("acknowledged", "page", "Bob")}


def test_it_says_who_was_quicker(client: Client, alarm: Alarm, other: Alarm, bob: User, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(name="Kamala Silva")
    alarm.acknowledge(Actor(User.objects.get(pk=alice.pk), Source.API))
    html = post(client, bob, {"action": "acknowledge", "ids": [str(alarm.pk), str(other.pk)]})
    assert "1 alarm acknowledged." in html
    assert "Already acknowledged by K. Silva at " in html
    assert AlarmEvent.objects.filter(alarm=alarm).count() == 1


@pytest.mark.parametrize("action", ["shelve", "comment"])
def test_it_asks_for_words_first(client: Client, alarm: Alarm, bob: User, action: str) -> None:
    html = post(client, bob, {"action": action, "ids": [str(alarm.pk)]})
    assert f'name="ids" value="{alarm.pk}"' in html
    assert f'name="action" value="{action}"' in html
    assert not AlarmEvent.objects.exists()


def test_it_shelves_with_a_reason(client: Client, alarm: Alarm, bob: User) -> None:
    form = {"action": "shelve", "ids": [str(alarm.pk)], "minutes": "240", "reason": "Probe is being calibrated"}
    html = post(client, bob, form)
    assert "1 alarm shelved." in html
    assert "3\u202fh\u00a059\u202fmin left" in html or "4\u202fh\u00a000\u202fmin left" in html
    assert AlarmEvent.objects.get().note == "Probe is being calibrated"


def test_it_takes_from_the_shelf(client: Client, alarm: Alarm, bob: User) -> None:
    post(client, bob, {"action": "shelve", "ids": [str(alarm.pk)], "reason": "why"})
    assert "1 alarm back from the shelf." in post(client, bob, {"unshelve": str(alarm.pk)})
    assert not Alarm.objects.get().is_shelved()


def test_it_comments_on_a_closed_one(client: Client, alarm: Alarm, bob: User) -> None:
    Alarm.objects.update(state="closed")
    html = post(client, bob, {"action": "comment", "note": "It was the seal."}, f"/alarms/{alarm.pk}/")
    assert "1 alarm commented." in html
    assert "It was the seal." in html


def test_it_assigns_to_whoever_asks(client: Client, alarm: Alarm, bob: User) -> None:
    url = f"/alarms/{alarm.pk}/"
    assert "Assign to nobody" in post(client, bob, {"action": "assign"}, url)
    assert Alarm.objects.get().assigned_to == bob
    assert "Assign to me" in post(client, bob, {"action": "unassign"}, url)


def test_it_says_what_was_refused(client: Client, alarm: Alarm, bob: User) -> None:
    Alarm.objects.update(state="closed")
    html = post(client, bob, {"action": "acknowledge", "ids": [str(alarm.pk)]})
    assert "1 not changed" in html
    assert "The alarm is closed: there is nothing to acknowledge." in html


@pytest.mark.parametrize("form", [{}, {"action": "acknowledge"}, {"action": "explode", "ids": ["x"]}])
def test_it_does_nothing_without_a_choice(client: Client, alarm: Alarm, bob: User, form: dict[str, Any]) -> None:
    assert "Nothing was done" in post(client, bob, form)


def test_it_is_refused_to_viewers(client: Client, alarm: Alarm, vera: User) -> None:
    client.force_login(vera)
    assert client.post("/alarms/", {"acknowledge": str(alarm.pk)}).status_code == 403
    assert Alarm.objects.get().state == "raised"


def test_it_finds_no_alarm_of_another_plant(client: Client, alarm: Alarm, charlie: User) -> None:
    html = post(client, charlie, {"acknowledge": str(alarm.pk)})
    assert "Not found." in html
    assert alarm.title not in html
    assert Alarm.objects.get().state == "raised"


@pytest.mark.parametrize(
    ("url", "goes_to"), [("/plants/kandy/?q=a", "/plants/kandy/?q=a"), ("https://evil.example/", "/alarms/")]
)
def test_it_goes_back_to_the_page_of_the_banner(
    client: Client, alarm: Alarm, bob: User, url: str, goes_to: str
) -> None:
    client.force_login(bob)
    assert client.post("/alarms/", {"acknowledge": str(alarm.pk), "next": url})["Location"] == goes_to
