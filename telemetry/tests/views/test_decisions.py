import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from alarms.models import Actor, Alarm, Decision, Source
from alarms.tests.alarms import make_alarm
from plants.models import Machine, Plant, Sensor
from telemetry.tests.conftest import Store
from telemetry.tests.samples import mark_rollups


@pytest.fixture
def alarm(kandy: Plant) -> Alarm:
    return make_alarm(Sensor.objects.get(slug="temp"))


def test_it_writes_down_what_was_decided_about_an_alarm(client: Client, alarm: Alarm, bob: User) -> None:
    client.force_login(bob)
    page = client.get(f"/decisions/?alarm={alarm.pk}").content.decode()
    assert re.findall(r'name="sensors" value="([^"]+)"[^>]* checked', page) == [str(alarm.sensor_id)]
    given = {"action": "manual_action", "reason": "Opened the damper.", "sensors": [str(alarm.sensor_id)]}
    answer = client.post(f"/decisions/?alarm={alarm.pk}", given)
    decision = Decision.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/decisions/{decision.pk}/")
    assert (decision.alarm, decision.actor, decision.source) == (alarm, "Bob", "page")
    assert "Opened the damper." in client.get("/decisions/").content.decode()


def test_it_wants_a_reason(client: Client, alarm: Alarm, bob: User) -> None:
    client.force_login(bob)
    answer = client.post(f"/decisions/?alarm={alarm.pk}", {"action": "accept", "reason": " "})
    assert (answer.status_code, Decision.objects.count()) == (200, 0)
    assert "data-wrong" in answer.content.decode()


def test_it_lets_viewers_read_only(client: Client, alarm: Alarm, vera: User, bob: User) -> None:
    decision = Decision.objects.record(Actor(bob, Source.API), alarm=alarm, action="accept", reason="It is the season.")
    client.force_login(vera)
    page = client.get(f"/decisions/?alarm={alarm.pk}").content.decode()
    assert "It is the season." in page
    assert "Write down" not in page
    assert client.post(f"/decisions/?alarm={alarm.pk}", {"action": "accept", "reason": "Me too."}).status_code == 403
    assert client.get(f"/decisions/{decision.pk}/").status_code == 200


def test_it_hides_what_belongs_to_foreign_plants(client: Client, alarm: Alarm, charlie: User, bob: User) -> None:
    decision = Decision.objects.record(Actor(bob, Source.API), alarm=alarm, action="accept", reason="Ours.")
    client.force_login(charlie)
    machine = Machine.objects.get(slug="roller-2")
    for path in (f"?alarm={alarm.pk}", f"?machine={machine.pk}", "?alarm=nonsense", f"{decision.pk}/"):
        assert client.get(f"/decisions/{path}").status_code == 404
    assert "Ours." not in client.get("/decisions/").content.decode()


def test_it_compares_before_and_after(client: Client, alarm: Alarm, bob: User, store: Store) -> None:
    sensor, now = Sensor.objects.get(slug="temp"), timezone.now()
    store(sensor, [(now - timedelta(minutes=5), 90.0), (now - timedelta(minutes=1), 80.0)])
    mark_rollups()
    at = now - timedelta(minutes=3)
    by = Actor(bob, Source.API)
    decision = Decision.objects.record(by, alarm=alarm, action="accept", reason="Wait.", sensors=[sensor.pk], at=at)
    client.force_login(bob)
    page = client.get(f"/decisions/{decision.pk}/?hours=1").content.decode()
    assert '<td class="number">90.0</td><td class="number">80.0</td>' in page
    assert "The hours after are not over yet." in page
