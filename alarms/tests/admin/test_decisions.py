"""Decisions in the admin."""

from django.test import Client

from accounts.models import User
from alarms.models import Actor, Alarm, Decision, Source
from plants.models import Sensor

LIST = "/admin/alarms/decision/"


def test_it_shows_them_also_when_what_they_are_about_is_gone(
    as_bob: Client, alarm: Alarm, bob: User, temp: Sensor
) -> None:
    by = Actor(bob, Source.API)
    decision = Decision.objects.record(by, alarm=alarm, action="reject", reason="A false one.", sensors=[temp.pk])
    page = as_bob.get(f"{LIST}{decision.pk}/change/").content.decode()
    for words in ("A false one.", alarm.title, "Temperature", "Bob"):
        assert words in page
    temp.machine.delete()
    alarm.delete()
    assert "A false one." in as_bob.get(LIST).content.decode()
    assert as_bob.get(f"{LIST}{decision.pk}/change/").status_code == 200


def test_it_lists_none_of_other_plants(client: Client, charlie: User, alarm: Alarm, bob: User) -> None:
    Decision.objects.record(Actor(bob, Source.API), alarm=alarm, action="reject", reason="A false one.")
    client.force_login(charlie)
    assert "A false one." not in client.get(LIST).content.decode()
