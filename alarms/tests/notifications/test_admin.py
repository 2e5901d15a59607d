import re
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client

from accounts.models import User
from alarms.models import Delivery, NotificationChannel, NotificationPolicy
from alarms.tests.notifications.servers import WebhookServer
from plants.models import Plant

CHANNELS = "/admin/alarms/notificationchannel/"
POLICIES = "/admin/alarms/notificationpolicy/"


@pytest.fixture
def as_bob(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def channel_form(plant: Plant, **fields: str) -> dict[str, Any]:
    form = {"plant": plant.pk, "name": "Duty", "kind": "webhook", "format": "json", "flood_limit": "10"}
    return form | {"url": "https://hooks.example/alarms", "is_enabled": "on"} | fields


def said(client: Client, path: str, form: dict[str, Any]) -> str:
    response = client.post(path, form, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def act(client: Client, channel: NotificationChannel, action: str, **fields: str) -> str:
    return said(client, CHANNELS, {"action": action, ACTION_CHECKBOX_NAME: str(channel.pk), **fields})


def secrets_in(page: str) -> list[str]:
    return re.findall(r"shown this once: ([\w-]{43})", page)


def test_it_shows_the_secret_of_a_new_webhook_once_and_keeps_it_nowhere(as_bob: Client, kandy: Plant) -> None:
    page = said(as_bob, f"{CHANNELS}add/", channel_form(kandy))
    channel = NotificationChannel.objects.get()
    assert secrets_in(page) == [channel.secret]
    for path in (f"{channel.pk}/change/", f"{channel.pk}/history/", ""):
        text = as_bob.get(f"{CHANNELS}{path}").content.decode()
        assert channel.secret not in text
        assert channel.secret_salt not in text
    with connection.cursor() as cursor:
        for table in ("alarms_notificationchannel", "alarms_notificationchannelevent"):
            cursor.execute(f"SELECT coalesce(string_agg(row::text, ''), '') FROM {table} AS row")
            assert channel.secret not in cursor.fetchone()[0]
        cursor.execute("SELECT to_jsonb(row)::text FROM alarms_notificationchannelevent AS row")
        assert "salt" not in cursor.fetchone()[0]


def test_it_makes_a_new_secret_after_asking_and_says_so_in_the_history(as_bob: Client, kandy: Plant) -> None:
    said(as_bob, f"{CHANNELS}add/", channel_form(kandy))
    channel = NotificationChannel.objects.get()
    before = channel.secret
    assert secrets_in(act(as_bob, channel, "rotate")) == []
    page = act(as_bob, channel, "rotate", confirmed="yes")
    channel.refresh_from_db()
    assert secrets_in(page) == [channel.secret] != [before]
    assert "Password changed" in as_bob.get(f"{CHANNELS}{channel.pk}/history/").content.decode()


def test_it_sends_a_test_from_the_form_and_says_what_came_of_it(
    as_bob: Client, kandy: Plant, receiver: WebhookServer
) -> None:
    said(as_bob, f"{CHANNELS}add/", channel_form(kandy, url=receiver.url))
    channel = NotificationChannel.objects.get()
    assert "Send a test message" in as_bob.get(f"{CHANNELS}{channel.pk}/change/").content.decode()
    receiver.statuses = [200, 503]
    assert "Duty: the test was sent. 200 OK" in act(as_bob, channel, "send_test")
    assert "Duty: the test failed. 503 Service Unavailable: ok" in act(as_bob, channel, "send_test")
    channel.refresh_from_db()
    assert channel.last_failure == "503 Service Unavailable: ok"
    assert "503 Service Unavailable: ok" in as_bob.get(CHANNELS).content.decode()
    failed = Delivery.objects.get(state="failed")
    page = as_bob.get(f"/admin/alarms/delivery/{failed.pk}/change/").content.decode()
    assert "503 Service Unavailable: ok" in page


@pytest.mark.parametrize("action", ["send_test", "rotate"])
def test_it_does_nothing_with_a_foreign_channel(
    client: Client, charlie: User, kandy: Plant, receiver: WebhookServer, action: str
) -> None:
    channel = NotificationChannel.objects.create(plant=kandy, name="Duty", kind="webhook", url=receiver.url)
    client.force_login(charlie)
    act(client, channel, action, confirmed="yes")
    assert receiver.received == []
    assert NotificationChannel.objects.get().secret == channel.secret


def test_it_takes_no_test_without_a_token_of_the_form(bob: User, kandy: Plant, receiver: WebhookServer) -> None:
    channel = NotificationChannel.objects.create(plant=kandy, name="Duty", kind="webhook", url=receiver.url)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob)
    answer = strict.post(CHANNELS, {"action": "send_test", ACTION_CHECKBOX_NAME: str(channel.pk)})
    assert answer.status_code == 403
    assert receiver.received == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "email", "url": "", "addresses": "a@b.example nobody"}, "“nobody” is not an email address."),
        ({"kind": "email"}, "Email needs addresses and no webhook"),
        ({"url": ""}, "a webhook its address and no email"),
        ({"url": "ftp://hooks.example"}, "An address such as https://example.org/alarms."),
        ({"url": "https://me:secret@hooks.example/"}, "No user name or password in the address"),
        ({"flood_limit": "0"}, "greater than or equal to 1"),
    ],
)
def test_it_says_what_is_wrong_with_a_channel(as_bob: Client, kandy: Plant, fields: dict[str, str], words: str) -> None:
    assert words in said(as_bob, f"{CHANNELS}add/", channel_form(kandy, **fields))
    assert not NotificationChannel.objects.exists()


def test_it_makes_a_policy_of_the_plants_own_channels(as_bob: Client, kandy: Plant, rotterdam: Plant) -> None:
    own = NotificationChannel.objects.create(plant=kandy, name="Duty", kind="email", addresses="a@b.example")
    foreign = NotificationChannel.objects.create(plant=rotterdam, name="Foreign", kind="email", addresses="a@b.example")
    form = {"plant": kandy.pk, "name": "Severe", "severity": "high", "is_enabled": "on", "breaks_through": "critical"}
    form |= {"quiet_from": "22:00", "quiet_to": "06:00", "steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": "0"}
    assert "Foreign" not in as_bob.get(f"{POLICIES}add/").content.decode()
    said(as_bob, f"{POLICIES}add/", form | {"steps-0-channel": str(foreign.pk), "steps-0-after_min": "0"})
    assert not NotificationPolicy.objects.exists()
    said(as_bob, f"{POLICIES}add/", form | {"steps-0-channel": str(own.pk), "steps-0-after_min": "15"})
    assert str(NotificationPolicy.objects.get().steps.get()) == "Duty after 15 min"


def test_it_refuses_a_channel_of_another_plant_of_the_same_person(
    client: Client, alice: User, kandy: Plant, rotterdam: Plant
) -> None:
    other = NotificationChannel.objects.create(plant=rotterdam, name="Other", kind="email", addresses="a@b.example")
    client.force_login(alice)
    form = {"plant": kandy.pk, "name": "Severe", "severity": "high"}
    form |= {"steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": "0", "steps-0-channel": str(other.pk)}
    assert "It belongs to another plant." in said(client, f"{POLICIES}add/", form | {"steps-0-after_min": "0"})
