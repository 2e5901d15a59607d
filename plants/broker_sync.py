"""Brings the broker's accounts in line with the database, over its dynamic-security plugin."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import now

from plants.broker import TAKEN, Acl, Found, Plan, about, describe, digest_of, ingest_account, is_lost, plan
from plants.broker_address import Broker
from plants.dynamic_security import Answer, BrokerError, Command, Control, control
from plants.models.devices import GENERATION, Device

JOB = "devices"
SHOWN = 10  # names in a line of the log, each minute
LOCK = 0x696E7162  # one sync at a time: a second one could bring back what the first has revoked


@dataclass
class Report:
    done: list[Command]
    taken: list[str]  # names of accounts that InQube did not make
    needs_rotation: list[str]
    refused: list[str]  # commands that the broker did not do, with its reason

    def facts(self) -> dict[str, Any]:
        """For a log: how much was done, and all that needs a person."""
        lists = {"taken": self.taken, "needs_rotation": self.needs_rotation, "refused": self.refused}
        return {"commands": len(self.done)} | {name: _shortened(value) for name, value in lists.items() if value}


def _shortened(names: list[str]) -> list[str]:
    more = len(names) - SHOWN
    return names if more <= 0 else [*names[:SHOWN], f"and {more} more"]


def sync(*, dry_run: bool = False) -> Report:
    """Makes the broker's accounts those of the database, and notes at each device what the broker has. BrokerError."""
    broker = Broker.from_url(settings.MQTT_ADMIN_URL, "MQTT_ADMIN_URL")
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            with control(broker) as connected:
                return _sync(connected, dry_run)
    except BrokerError:
        Device.objects.exclude(broker_digest="").update(broker_digest="")
        raise


def _sync(broker: Control, dry_run: bool) -> Report:
    if not dry_run:
        with connection.cursor() as cursor:  # what they were to bring about is in what is read next
            cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo'", [JOB])
    moment, ingest = now(), ingest_account()
    devices = list(Device.objects.select_related("plant").order_by("plant__slug", "name"))
    lost = [device.username for device in devices if is_lost(device)]
    made = plan(devices, ingest, read(broker), moment)
    if dry_run:
        return Report(made.commands, made.taken, lost, [])
    answers = broker.ask(made.commands)
    remaining = plan(devices, ingest, read(broker), moment) if made.commands else made
    _note(devices, remaining, moment)
    return Report(made.commands, remaining.taken, lost, list(_refused(made.commands, answers)))


def _refused(commands: list[Command], answers: list[Answer]) -> Iterator[str]:
    for command, answer in zip(commands, answers, strict=True):
        if "error" in answer:
            yield f"{describe(command)}: {answer['error']}"


def _note(devices: list[Device], remaining: Plan, moment: datetime) -> None:
    """Keeps which devices the broker has as they were just now; one that changes meanwhile waits again by that."""
    pending = {about(command) for command in remaining.commands}
    taken = {GENERATION.sub("", username) for username in remaining.taken}
    changed = []
    for device in devices:
        name = device.name_of(1)
        digest = TAKEN if name in taken else "" if name in pending else digest_of(device, moment)
        if device.broker_digest != digest:
            device.broker_digest = digest
            changed.append(device)
    Device.objects.bulk_update(changed, ["broker_digest"], batch_size=1000)


def read(broker: Control) -> Found:
    asked: list[Command] = [
        {"command": "listClients", "verbose": True},
        {"command": "listRoles", "verbose": True},
        {"command": "getDefaultACLAccess"},
    ]
    clients, roles, defaults = (_data(answer) for answer in broker.ask(asked))
    return Found(
        {client["username"]: client for client in clients["clients"]},
        {role["rolename"]: {_acl(acl) for acl in role.get("acls", ())} for role in roles["roles"]},
        [acl["acltype"] for acl in defaults["acls"] if acl["allow"]],
    )


def _data(answer: Answer) -> dict[str, Any]:
    if "error" in answer:
        raise BrokerError(f"The broker did not list its accounts: {answer['error']}.")
    data: dict[str, Any] = answer["data"]
    return data


def _acl(acl: dict[str, Any]) -> Acl:
    return (acl["acltype"] if acl["allow"] else f"no {acl['acltype']}", acl["topic"])
