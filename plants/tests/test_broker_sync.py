"""The broker's accounts follow the database: with a real Mosquitto."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from plants.broker import BrokerState, state_of
from plants.broker_address import Broker
from plants.broker_sync import sync
from plants.dynamic_security import BrokerError, Command, control
from plants.models import Plant
from plants.models.devices import Device
from plants.tests.mosquitto import ADMIN, ManagedBroker, Visitor

pytestmark = pytest.mark.mosquitto

HOUR = timedelta(hours=1)
TOPIC = "inqube/v1/kandy/rolling/roller-2/t"


@pytest.fixture
def device(kandy: Plant) -> Device:
    return Device(plant=kandy, name="gateway", prefix="rolling")


@pytest.fixture
def secret(broker: ManagedBroker, device: Device) -> str:
    secret = device.issue_secret()
    device.save()
    sync()
    return secret


@pytest.fixture
def link(broker: ManagedBroker, secret: str) -> Iterator[Visitor]:
    """The device, connected."""
    visitor = Visitor(broker.ports[1883], "kandy/gateway", secret)
    assert visitor.is_let_in
    yield visitor
    visitor.leave()


def lets_in(broker: ManagedBroker, username: str, password: str, port: int = 1883) -> bool:
    visitor = Visitor(broker.ports[port], username, password)
    visitor.leave()
    return visitor.is_let_in


def ask(broker: ManagedBroker, *commands: Command) -> list[dict[str, Any]]:
    with control(Broker.from_url(broker.admin_url)) as admin:
        answers = admin.ask(commands)
    assert not [answer for answer in answers if "error" in answer]
    return answers


def names(broker: ManagedBroker) -> list[str]:
    clients, roles = ask(broker, {"command": "listClients"}, {"command": "listRoles"})
    return sorted([*clients["data"]["clients"], *roles["data"]["roles"]])


def state(device: Device) -> BrokerState:
    return state_of(Device.objects.select_related("plant").get(pk=device.pk))


def test_it_gives_a_broker_that_knows_its_admin_alone_all_accounts(broker: ManagedBroker, secret: str) -> None:
    assert names(broker) == [ADMIN, ADMIN, "inqube", "inqube:ingest", "inqube:kandy/gateway", "kandy/gateway"]
    (defaults,) = ask(broker, {"command": "getDefaultACLAccess"})
    assert not [acl for acl in defaults["data"]["acls"] if acl["allow"]]


def test_it_does_nothing_where_nothing_differs(broker: ManagedBroker, device: Device, secret: str) -> None:
    device.rotate(HOUR)
    assert sync().done
    assert sync().done == []


def test_it_gives_a_broker_that_lost_its_accounts_the_same_ones(
    broker: ManagedBroker, device: Device, secret: str
) -> None:
    new = device.rotate(HOUR)
    sync()
    broker.stop()
    broker.wipe()
    broker.start()
    assert not lets_in(broker, "kandy/gateway", secret)
    sync()
    assert lets_in(broker, "kandy/gateway", secret)
    assert lets_in(broker, "kandy/gateway.2", new)
    assert lets_in(broker, "inqube", "ingests", 1884)


def test_it_lets_both_secrets_in_until_the_grace_ends(broker: ManagedBroker, device: Device, secret: str) -> None:
    new = device.rotate(HOUR)
    sync()
    assert lets_in(broker, "kandy/gateway", secret)
    assert lets_in(broker, "kandy/gateway.2", new)
    Device.objects.update(previous_valid_until=now())
    sync()
    assert not lets_in(broker, "kandy/gateway", secret)
    assert lets_in(broker, "kandy/gateway.2", new)
    newest = device.rotate(timedelta(0))
    sync()
    assert not lets_in(broker, "kandy/gateway.2", new)
    assert lets_in(broker, "kandy/gateway.3", newest)


def test_it_ends_connections_with_the_device(broker: ManagedBroker, device: Device, link: Visitor) -> None:
    device.revoke()
    sync()
    assert link.gone.wait(5)
    assert names(broker) == [ADMIN, ADMIN, "inqube", "inqube:ingest"]


def test_it_follows_a_plants_slug(broker: ManagedBroker, kandy: Plant, secret: str, link: Visitor) -> None:
    Plant.objects.update(slug="ella")
    sync()
    assert link.gone.wait(5)
    ella = Visitor(broker.ports[1883], "ella/gateway", secret)
    assert ella.publish(TOPIC.replace("kandy", "ella"))
    assert not ella.publish(TOPIC)
    ella.leave()


def test_it_follows_a_prefix(broker: ManagedBroker, link: Visitor) -> None:
    assert link.publish(TOPIC)
    Device.objects.update(prefix="drying")
    sync()
    assert not link.publish(TOPIC)
    assert link.publish(TOPIC.replace("rolling", "drying"))


def test_it_forgets_deleted_plants(broker: ManagedBroker, kandy: Plant, secret: str) -> None:
    kandy.delete()
    sync()
    assert names(broker) == [ADMIN, ADMIN, "inqube", "inqube:ingest"]


@pytest.mark.parametrize(
    "command",
    [
        {"command": "addClientRole", "rolename": ADMIN},
        {"command": "setClientId", "clientid": "inqube-ingest"},
        {"command": "addGroupClient", "groupname": "all"},
        {"command": "modifyClient", "textdescription": "inqube another"},
    ],
)
def test_it_puts_right_what_somebody_changed(broker: ManagedBroker, secret: str, command: Command) -> None:
    ask(broker, {"command": "createGroup", "groupname": "all"}, command | {"username": "kandy/gateway"})
    assert len(sync().done) == 2
    assert lets_in(broker, "kandy/gateway", secret)
    assert sync().done == []


def test_it_puts_a_role_right(broker: ManagedBroker, secret: str, link: Visitor) -> None:
    acl = {"acltype": "publishClientSend", "topic": "#", "priority": 5, "allow": True}
    ask(broker, {"command": "addRoleACL", "rolename": "inqube:kandy/gateway", **acl})
    assert link.publish("somewhere")
    sync()
    assert not link.publish("somewhere")
    assert sync().done == []


def test_it_leaves_what_it_did_not_make(broker: ManagedBroker, device: Device) -> None:
    mine: list[Command] = [
        {"command": "createRole", "rolename": "mine"},
        {"command": "createClient", "username": "kandy/gateway", "password": "mine", "roles": [{"rolename": "mine"}]},
        {"command": "createClient", "username": "kandy/pump", "password": "mine"},
    ]
    ask(broker, *mine)
    device.issue_secret()
    device.save()
    assert sync().taken == ["kandy/gateway"]
    assert {"mine", "kandy/gateway", "kandy/pump"} < set(names(broker))
    assert state(device) == BrokerState.TAKEN


def test_it_leaves_a_secret_that_it_cannot_make_again(
    broker: ManagedBroker, settings: Any, device: Device, secret: str
) -> None:
    settings.DEVICE_KEY = "another-key-of-the-tests-0123456789-0123456789"
    Device.objects.update(prefix="drying")
    report = sync()
    assert report.needs_rotation == ["kandy/gateway"]
    assert lets_in(broker, "kandy/gateway", secret)
    assert state(device) == BrokerState.NEEDS_ROTATION
    new = device.rotate(HOUR)
    sync()
    assert lets_in(broker, "kandy/gateway", secret)
    assert lets_in(broker, "kandy/gateway.2", new)
    assert state(device) == BrokerState.IN_SYNC


def test_it_gives_a_new_broker_no_secret_that_it_cannot_make_again(
    broker: ManagedBroker, settings: Any, device: Device, secret: str
) -> None:
    settings.DEVICE_KEY = "another-key-of-the-tests-0123456789-0123456789"
    broker.stop()
    broker.wipe()
    broker.start()
    sync()
    assert sync().done == []
    assert not lets_in(broker, "kandy/gateway", secret)


def test_it_follows_ingests_password(broker: ManagedBroker, settings: Any, secret: str) -> None:
    settings.MQTT_URL = settings.MQTT_URL.replace("ingests", "another")
    sync()
    assert lets_in(broker, "inqube", "another", 1884)
    assert not lets_in(broker, "inqube", "ingests", 1884)


def test_it_knows_how_the_broker_and_a_device_stand(broker: ManagedBroker, device: Device, secret: str) -> None:
    states = [state(device)]
    device.rotate(HOUR)
    states.append(state(device))
    sync()
    states.append(state(device))
    device.revoke()
    states.append(state(device))
    sync()
    states.append(state(device))
    assert states == ["in_sync", "waiting", "in_sync", "waiting", "in_sync"]


def test_it_knows_nothing_of_a_broker_that_is_away(broker: ManagedBroker, device: Device, secret: str) -> None:
    broker.stop()
    with pytest.raises(BrokerError, match="could not reach the broker"):
        sync()
    assert state(device) == BrokerState.WAITING


@pytest.mark.parametrize("account", ["admin:wrong", "inqube:ingests"])
def test_it_says_that_it_may_not(broker: ManagedBroker, settings: Any, secret: str, account: str) -> None:
    settings.MQTT_ADMIN_URL = f"mqtt://{account}@127.0.0.1:{broker.ports[1884]}"
    with pytest.raises(BrokerError, match="MQTT_ADMIN_URL must name an account"):
        sync()


def test_the_command_says_what_it_does(broker: ManagedBroker, device: Device) -> None:
    device.issue_secret()
    device.save()
    said = []
    for options in (["--dry-run"], [], []):
        out = io.StringIO()
        call_command("sync_devices", *options, stdout=out)
        said.append(out.getvalue())
    assert said[0] == said[1]
    assert "createClient kandy/gateway\n" in said[0]
    assert said[2] == "The broker has all accounts as they should be.\n"


def test_the_command_needs_an_account(settings: Any) -> None:
    with pytest.raises(CommandError, match="MQTT_ADMIN_URL is not set"):
        call_command("sync_devices")
