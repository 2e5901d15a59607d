"""Devices' secrets: made here, kept as hashes, good until they are rotated out or revoked."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test import Client
from django.utils.timezone import now

from accounts.audit import Filter, entries
from accounts.models import User
from plants.models import Plant
from plants.models.devices import Device, RevokedError, derived, hashed

HOUR = timedelta(hours=1)


@pytest.fixture
def device(kandy: Plant) -> Device:
    return Device(plant=kandy, name="gateway", prefix="rolling")


@pytest.fixture
def secret(device: Device) -> str:
    secret = device.issue_secret()
    device.save()
    return secret


def find(name: str, secret: str) -> Device | None:
    return Device.objects.authenticate(name, secret)


def test_it_finds_the_device_by_its_name_and_by_its_id(device: Device, secret: str) -> None:
    assert find("kandy/gateway", secret) == find(str(device.pk), secret) == device


@pytest.mark.parametrize(
    "name",
    [
        "kandy/other",
        "rotterdam/gateway",
        "gateway",
        "",
        "\0",
        "é/é",
        "a/b/c",
        "kandy/gateway.",
        "kandy/gateway.2x",
        "kandy/gateway.2.2",
    ],
)
def test_it_finds_no_device_by_another_name(device: Device, secret: str, rotterdam: Plant, name: str) -> None:
    assert find(name, secret) is None


@pytest.mark.parametrize("wrong", ["", "secret", "\0", "é"])
def test_it_refuses_another_secret(device: Device, secret: str, wrong: str) -> None:
    assert find("kandy/gateway", wrong) is None


def test_it_refuses_a_secret_that_is_none_yet(device: Device, secret: str) -> None:
    """The empty hash of a secret before the first is no hash of anything."""
    Device.objects.update(previous_valid_until=now() + HOUR)
    assert find("kandy/gateway", "") is None


def test_it_keeps_no_secret(device: Device, secret: str) -> None:
    with connection.cursor() as cursor:
        for table in ("plants_device", "plants_deviceevent"):
            cursor.execute(f"SELECT to_jsonb({table})::text FROM {table}")
            (row,) = cursor.fetchone() or ("",)
            assert "gateway" in row
            assert secret not in row


def test_it_gives_each_secret_a_user_name_of_its_own(device: Device, secret: str) -> None:
    names = [device.username]
    for _ in range(2):
        new = device.rotate(HOUR)
        names.append(device.username)
        assert find(device.username, new) == device
    assert names == ["kandy/gateway", "kandy/gateway.2", "kandy/gateway.3"]


def test_it_can_make_a_secret_again_from_what_it_keeps(device: Device, secret: str) -> None:
    new = device.rotate(HOUR)
    assert device.recompute(device.secret_hash) == new
    assert device.recompute(device.previous_secret_hash) == secret


@pytest.mark.parametrize("key", ["DEVICE_KEY", "SECRET_KEY"])
def test_it_cannot_make_a_secret_again_with_another_key(settings: Any, device: Device, secret: str, key: str) -> None:
    setattr(settings, key, "another-key-of-the-tests-0123456789-0123456789")
    assert device.recompute(device.secret_hash) is None
    assert find("kandy/gateway", secret) == device


def test_it_makes_no_secret_again_that_was_random(device: Device) -> None:
    assert device.recompute(hashed("random")) is None


def test_it_makes_another_secret_for_each_device(kandy: Plant, device: Device) -> None:
    other = Device(plant=kandy, name="other")
    assert derived(device.pk, b"salt") != derived(other.pk, b"salt")


def test_it_takes_the_old_secret_during_the_grace_period(device: Device, secret: str) -> None:
    new = device.rotate(HOUR)
    assert new != secret
    assert find("kandy/gateway", new) == find("kandy/gateway", secret) == device


def test_it_refuses_the_old_secret_afterwards(device: Device, secret: str) -> None:
    new = device.rotate(timedelta(0))
    assert find("kandy/gateway", secret) is None
    assert find("kandy/gateway", new) == device


def test_it_takes_the_last_two_secrets_only(device: Device, secret: str) -> None:
    device.rotate(HOUR)
    device.rotate(HOUR)
    assert find("kandy/gateway", secret) is None


def test_it_refuses_a_revoked_device(device: Device, secret: str) -> None:
    new = device.rotate(HOUR)
    device.revoke()
    assert find("kandy/gateway", secret) is find("kandy/gateway", new) is None
    with pytest.raises(RevokedError):
        device.rotate(HOUR)


def test_it_notes_when_it_was_revoked_once(device: Device, secret: str) -> None:
    device.revoke()
    first = device.revoked_at
    device.revoke()
    assert device.revoked_at == first


def test_it_writes_a_rotation_down_without_the_hashes(device: Device, secret: str) -> None:
    device.rotate(HOUR)
    device.revoke()
    found = entries(Filter(object_type="device"), 10, oldest_first=True)
    assert [entry.action for entry in found] == ["created", "password_changed", "updated"]
    columns = {column for entry in found for column in entry.data}
    assert not {column for column in columns if "secret" in column}


def test_it_writes_no_history_of_when_it_was_seen(device: Device, secret: str) -> None:
    device.note_seen()
    device.refresh_from_db()
    assert device.last_seen is not None
    assert len(entries(Filter(object_type="device"), 10)) == 1


def test_it_notes_that_it_was_seen_only_now_and_then(device: Device, secret: str) -> None:
    device.note_seen()
    device.refresh_from_db()
    first = device.last_seen
    device.note_seen()
    device.refresh_from_db()
    assert device.last_seen == first


@pytest.mark.parametrize("prefix", ["Rolling", "rolling/", "/rolling", "a/b/c", "rolling\n", "+", "#"])
def test_it_takes_only_slugs_for_a_prefix(device: Device, prefix: str) -> None:
    device.prefix = prefix
    device.issue_secret()
    with pytest.raises(ValidationError):
        device.full_clean()
    with pytest.raises(IntegrityError):
        device.save()


@pytest.mark.parametrize(
    ("prefix", "root"),
    [("", "kandy/"), ("rolling", "kandy/rolling/"), ("rolling/roller-2", "kandy/rolling/roller-2/")],
)
def test_it_knows_what_its_addresses_begin_with(device: Device, prefix: str, root: str) -> None:
    device.prefix = prefix
    assert device.root == root


# --- The admin -------------------------------------------------------------------------------------------
def shown(response: Any) -> str:
    """The secret in the page's message."""
    (message,) = [text for text in map(str, response.context["messages"]) if "shown this once" in text]
    return message.rpartition(" ")[2]


def test_it_shows_a_new_devices_secret_once_in_the_admin(client: Client, alice: User, kandy: Plant) -> None:
    client.force_login(alice)
    form = {"plant": kandy.pk, "name": "plc", "prefix": ""}
    response = client.post("/admin/plants/device/add/", form, follow=True)
    device = Device.objects.get()
    assert find("kandy/plc", shown(response)) == device
    assert shown(response) not in client.get(f"/admin/plants/device/{device.pk}/change/").content.decode()


def act(client: Client, action: str, device: Device, *, confirmed: bool = True) -> Any:
    form = {"action": action, "_selected_action": str(device.pk)}
    return client.post("/admin/plants/device/", form | ({"confirmed": "yes"} if confirmed else {}), follow=True)


def test_it_rotates_in_the_admin(client: Client, alice: User, device: Device, secret: str) -> None:
    client.force_login(alice)
    response = act(client, "rotate", device)
    assert shown(response) != secret
    assert "kandy/gateway.2" in response.content.decode()
    assert find("kandy/gateway", shown(response)) == device


def test_it_revokes_in_the_admin(client: Client, alice: User, device: Device, secret: str) -> None:
    client.force_login(alice)
    act(client, "revoke", device)
    assert find("kandy/gateway", secret) is None


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_it_asks_first_in_the_admin(client: Client, alice: User, device: Device, secret: str, action: str) -> None:
    client.force_login(alice)
    page = act(client, action, device, confirmed=False).content.decode()
    assert "are you sure?" in page
    assert "<li>kandy/gateway</li>" in page
    device.refresh_from_db()
    assert (device.generation, device.revoked_at) == (1, None)


def test_it_offers_both_on_the_devices_page(client: Client, alice: User, device: Device, secret: str) -> None:
    client.force_login(alice)
    url = f"/admin/plants/device/{device.pk}/change/"
    page = client.get(url).content.decode()
    assert 'name="action" value="rotate"' in page
    assert 'name="action" value="revoke"' in page
    device.revoke()
    assert 'name="action"' not in client.get(url).content.decode()


def test_it_says_in_the_admin_how_the_broker_knows_a_device(
    client: Client, settings: Any, alice: User, device: Device, secret: str
) -> None:
    client.force_login(alice)
    urls = ["/admin/plants/device/", f"/admin/plants/device/{device.pk}/change/"]
    assert all("not managed" in client.get(url).content.decode() for url in urls)
    settings.MQTT_ADMIN_URL = "mqtt://admin@localhost"
    assert all("waiting" in client.get(url).content.decode() for url in urls)
