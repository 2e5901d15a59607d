"""Accounts on the broker: what they should be by the database, and the commands that make them so.

MQTT does not tell a subscriber who published, so what a device may do is for the broker to hold it to. An account of
a device publishes under the device's prefix and does nothing else. The broker never tells a password: which secret an
account has stands in its description, the mark, by which InQube also knows the accounts that it made. It touches no
others.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from plants.broker_address import Broker
from plants.dynamic_security import Command
from plants.models.devices import GENERATION, Device

MARK = "inqube "
WITHOUT_PASSWORD = f"{MARK}without password"
MARK_CHARACTERS = 16
ROLE = "inqube:"  # what the names of our roles begin with
INGEST_ROLE = f"{ROLE}ingest"  # a device's has a slash
INGEST_READS = ("inqube/v1/#", "$SYS/broker/#")
DEFAULTS = ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")
TAKEN = "taken"  # in place of the digest

Acl = tuple[str, str]  # its kind and topic; all of ours allow


class BrokerState(models.TextChoices):
    """How what the broker knows of a device compares with what it should."""

    NOT_MANAGED = "not_managed", "not managed"  # MQTT_ADMIN_URL is not set
    IN_SYNC = "in_sync", "in sync"
    WAITING = "waiting", "waiting"
    NEEDS_ROTATION = "needs_rotation", "needs rotation"  # its secret cannot be made again for a broker that lost it
    TAKEN = "taken", "name is taken"  # by an account that is not InQube's


@dataclass(frozen=True)
class Account:
    """An account as it should be. Without a password it is for who shows a certificate."""

    username: str
    role: str
    client_id: str  # the only one it may connect with; empty: any
    mark: str
    password: str | None = None
    is_lost: bool = False  # has a secret that cannot be made again: an account with its mark is left as it is


class Found(NamedTuple):
    """What the broker has: accounts, roles, and whatever it allows to all, as the plugin tells them."""

    accounts: dict[str, dict[str, Any]]
    roles: dict[str, set[Acl]]
    allowed: list[str]


@dataclass
class Plan:
    commands: list[Command] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # names of accounts that are not ours


# --- What it should be ---------------------------------------------------------------------------------------
def role_of(device: Device) -> str:
    return ROLE + device.name_of(1)


def topics_of(device: Device) -> set[Acl]:
    zone, machine = (*filter(None, device.prefix.split("/")), "+", "+")[:2]
    root = f"inqube/v1/{device.plant.slug}"
    topics = (f"{root}/{zone}/{machine}/t", f"{root}/{zone}/{machine}/t/+", f"{root}/$status/{device.name}")
    return {("publishClientSend", topic) for topic in topics}


def accounts_of(device: Device, moment: datetime) -> list[Account]:
    """One for each secret that is good, and that of the first user name in any case: a certificate keeps its name."""
    if device.revoked_at is not None:
        return []
    secrets = {device.generation: device.secret_hash}
    until = device.previous_valid_until
    if until is not None and moment < until and device.generation > 1:
        secrets[device.generation - 1] = device.previous_secret_hash
    accounts = [_account(device, generation, stored) for generation, stored in secrets.items()]
    return accounts if 1 in secrets else [*accounts, _without_password(device)]


def _account(device: Device, generation: int, stored: str) -> Account:
    name = device.name_of(generation)
    mark = MARK + stored.partition("$")[2][:MARK_CHARACTERS]
    password = device.recompute(stored)
    return Account(name, role_of(device), name, mark, password, is_lost=password is None)


def _without_password(device: Device) -> Account:
    name = device.name_of(1)
    return Account(name, role_of(device), name, WITHOUT_PASSWORD)


def ingest_account() -> Account | None:
    """What MQTT_URL signs in with. Any client id: each shard of ingest has its own."""
    broker = Broker.from_url(settings.MQTT_URL)
    if broker.username is None or broker.password is None:
        return None
    digest = salted_hmac("inqube.broker.ingest", broker.password, algorithm="sha256").hexdigest()
    return Account(broker.username, INGEST_ROLE, "", MARK + digest[:MARK_CHARACTERS], broker.password)


def ingest_acls() -> set[Acl]:
    kinds = ("subscribePattern", "unsubscribePattern", "publishClientReceive")
    return {(kind, topic) for kind in kinds for topic in INGEST_READS}


def digest_of(device: Device, moment: datetime) -> str:
    """Changes with all that the broker should know of the device."""
    accounts = [(account.username, account.mark) for account in accounts_of(device, moment)]
    text = json.dumps([role_of(device), sorted(topics_of(device)), accounts])
    return hashlib.sha256(text.encode()).hexdigest()


def is_lost(device: Device) -> bool:
    """Whether its secret cannot be given to a broker that does not have it."""
    return device.revoked_at is None and device.recompute(device.secret_hash) is None


def state_of(device: Device) -> BrokerState:
    """As the last sync left it; without asking the broker."""
    if not settings.MQTT_ADMIN_URL:
        return BrokerState.NOT_MANAGED
    if device.broker_digest == TAKEN:
        return BrokerState.TAKEN
    if is_lost(device):
        return BrokerState.NEEDS_ROTATION
    return BrokerState.IN_SYNC if device.broker_digest == digest_of(device, now()) else BrokerState.WAITING


# --- The commands between the two ----------------------------------------------------------------------------
def plan(devices: Iterable[Device], ingest: Account | None, found: Found, moment: datetime) -> Plan:
    """What makes the broker's accounts and roles those of the database; nothing where they are."""
    result = Plan()
    accounts: list[Account] = []
    roles: dict[str, set[Acl]] = {}
    if ingest is not None:
        accounts.append(ingest)
        roles[INGEST_ROLE] = ingest_acls()
    for device in devices:
        if device.revoked_at is None:
            roles[role_of(device)] = topics_of(device)
            accounts += _possible(device, found, moment)
    wanted = {account.username for account in accounts}
    if found.allowed:
        acls = [{"acltype": kind, "allow": False} for kind in DEFAULTS]
        result.commands.append({"command": "setDefaultACLAccess", "acls": acls})
    for username, client in found.accounts.items():
        if is_ours(client) and username not in wanted:
            result.commands.append({"command": "deleteClient", "username": username})
    result.commands += _make_roles(roles, found.roles)
    for account in accounts:
        there = found.accounts.get(account.username)
        if there is not None and not is_ours(there):
            result.taken.append(account.username)
        else:
            result.commands += _make(account, there)
    for role in found.roles:
        if role.startswith(ROLE) and role not in roles:
            result.commands.append({"command": "deleteRole", "rolename": role})
    return result


def _possible(device: Device, found: Found, moment: datetime) -> Iterator[Account]:
    """Its accounts, without those whose secret is lost, unless the broker has them."""
    for account in accounts_of(device, moment):
        if not account.is_lost or mark_of(found.accounts.get(account.username)) == account.mark:
            yield account
        elif account.username == device.name_of(1):
            yield _without_password(device)


def mark_of(client: dict[str, Any] | None) -> str:
    return (client or {}).get("textdescription", "")


def is_ours(client: dict[str, Any]) -> bool:
    return mark_of(client).startswith(MARK)


def _make_roles(wanted: dict[str, set[Acl]], found: dict[str, set[Acl]]) -> Iterator[Command]:
    for role, acls in wanted.items():
        if found.get(role) != acls:
            yield {
                "command": "modifyRole" if role in found else "createRole",
                "rolename": role,
                "acls": [{"acltype": kind, "topic": topic, "allow": True} for kind, topic in sorted(acls)],
            }


def _make(account: Account, client: dict[str, Any] | None) -> Iterator[Command]:
    """Makes the account anew where it differs, which ends its connections."""
    body: Command = {
        "username": account.username,
        "clientid": account.client_id,
        "textdescription": account.mark,
        "roles": [{"rolename": account.role}],
    }
    if client is not None:
        has = (client.get("clientid", ""), mark_of(client), [role["rolename"] for role in client["roles"]])
        if has == (account.client_id, account.mark, [account.role]) and not client["groups"]:
            return
        if account.is_lost:
            yield {"command": "modifyClient", "groups": [], **body}
            return
        yield {"command": "deleteClient", "username": account.username}
    yield {"command": "createClient", **body, **({"password": account.password} if account.password else {})}


def about(command: Command) -> str:
    """`plant/name` of the device that a command is about."""
    name = command.get("username") or command.get("rolename", "").removeprefix(ROLE)
    return GENERATION.sub("", name)


def describe(command: Command) -> str:
    """`createClient kandy/gateway`."""
    return f"{command['command']} {command.get('username') or command.get('rolename', '')}".rstrip()
