"""Alarms in the admin: read, and acted on, many at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from alarms.models import Alarm, AlarmEvent
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor

LIST = "/admin/alarms/alarm/"


def act(client: Client, action: str, *alarms: Alarm, **form: str) -> Any:
    data = {"action": action, "_selected_action": [str(alarm.pk) for alarm in alarms], **form}
    return client.post(LIST, data, follow=True)


def answer(client: Client, action: str, *alarms: Alarm, **form: str) -> str:
    return act(client, action, *alarms, confirmed="yes", **form).content.decode()


def test_it_asks_before_it_acts(as_bob: Client, alarm: Alarm) -> None:
    page = act(as_bob, "acknowledge", alarm).content.decode()
    assert "Acknowledge: are you sure?" in page
    assert alarm.title in page
    assert '<textarea name="note"' in page
    assert not AlarmEvent.objects.exists()


def test_it_acknowledges_the_selected(as_bob: Client, alarm: Alarm, temp: Sensor) -> None:
    other = make_alarm(temp)
    assert "Done with 2 alarms." in answer(as_bob, "acknowledge", alarm, other, note="Seen.")
    events = AlarmEvent.objects.all()
    assert {(each.kind, each.actor, each.source, each.note) for each in events} == {
        ("acknowledged", "Bob", "admin", "Seen.")
    }
    assert "2 were so already." in answer(as_bob, "acknowledge", alarm, other)


def test_it_shelves_and_unshelves(as_bob: Client, alarm: Alarm) -> None:
    answer(as_bob, "shelve", alarm, minutes="120", reason="The belt is being changed.")
    alarm.refresh_from_db()
    assert alarm.is_shelved(now() + timedelta(minutes=119))
    assert alarm.shelve_reason == "The belt is being changed."
    answer(as_bob, "unshelve", alarm)
    alarm.refresh_from_db()
    assert not alarm.is_shelved()


def test_it_comments(as_bob: Client, alarm: Alarm) -> None:
    answer(as_bob, "comment", alarm, note="It was the seal.")
    assert AlarmEvent.objects.get().note == "It was the seal."


@pytest.mark.parametrize(("action", "form"), [("shelve", {"minutes": "30"}), ("comment", {"note": " "})])
def test_it_asks_again_where_words_are_missing(as_bob: Client, alarm: Alarm, action: str, form: Any) -> None:
    assert "This field is required." in answer(as_bob, action, alarm, **form)
    assert not AlarmEvent.objects.exists()


def test_it_says_why_not(as_bob: Client, alarm: Alarm) -> None:
    Alarm.objects.update(state="closed")
    assert "The alarm is closed: there is nothing to shelve." in answer(
        as_bob, "shelve", alarm, minutes="30", reason="why"
    )


def test_it_acts_on_no_foreign_alarm(as_bob: Client, alarm: Alarm, rotterdam: Plant) -> None:
    foreign = make_alarm(Sensor.objects.get(slug="power"))
    answer(as_bob, "acknowledge", foreign)
    assert not AlarmEvent.objects.exists()
    assert "Mixer 1" not in as_bob.get(LIST).content.decode()


def test_it_shows_the_journal(as_bob: Client, alarm: Alarm) -> None:
    answer(as_bob, "comment", alarm, note="Smells of oil.")
    page = as_bob.get(f"{LIST}{alarm.pk}/change/").content.decode()
    for words in ("Smells of oil.", "commented", "Bob", "Look at the bearing."):
        assert words in page


def test_it_asks_the_database_as_often_for_many(as_bob: Client, alarm: Alarm, temp: Sensor) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            as_bob.get(LIST)
        return len(found)

    as_bob.get(LIST)
    one = queries()
    for _ in range(5):
        make_alarm(temp)
    assert queries() == one
