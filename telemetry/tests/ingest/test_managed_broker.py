"""Receive from a Mosquitto whose accounts InQube keeps, with and without TLS."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from plants.broker_address import Broker
from plants.broker_sync import sync
from plants.models import Plant
from plants.models.devices import Device
from plants.tests.certificates import Authority
from plants.tests.mosquitto import ManagedBroker, Visitor, managed_broker
from telemetry.tests.ingest.receiving import Inbox, receiving, until

pytestmark = [pytest.mark.mosquitto, pytest.mark.django_db(transaction=True)]

TOPIC = "inqube/v1/kandy/rolling/roller-2/t/temp"
CLIENT_ID = "inqube-ingest"


@pytest.fixture
def broker(tmp_path: Path, settings: Any) -> Iterator[ManagedBroker]:
    directory = tmp_path / "certs"
    directory.mkdir()
    Authority.make(directory, "devices-ca")
    authority, processes = Authority.make(directory, "ca"), Authority.make(directory, "processes-ca")
    authority.issue("server", "broker")
    settings.MQTT_CA_FILE = authority.certificate
    settings.MQTT_CERT_FILE, settings.MQTT_KEY_FILE = processes.issue("ingest", "ingest")
    with managed_broker(tmp_path, "tls.conf", "certificates.conf") as broker:
        settings.MQTT_ADMIN_URL, settings.MQTT_URL = broker.admin_url, broker.ingest_url
        yield broker


@pytest.fixture
def secret(broker: ManagedBroker, kandy: Plant) -> str:
    device = Device(plant=kandy, name="gateway")
    secret = device.issue_secret()
    device.save()
    sync()
    return secret


def send(broker: ManagedBroker, secret: str, payload: bytes, client_id: str = "") -> None:
    device = Visitor(broker.ports[1883], "kandy/gateway", secret, client_id)
    assert device.publish(TOPIC, payload)
    device.leave()


def sync_elsewhere() -> None:
    sync()
    connection.close()  # this thread's


async def test_it_gets_what_devices_send_over_tls_with_its_certificate(broker: ManagedBroker, secret: str) -> None:
    address = Broker.from_url(f"mqtts://inqube:ingests@127.0.0.1:{broker.ports[8885]}")
    inbox = Inbox()
    async with receiving(address, inbox, client_id=CLIENT_ID) as receiver:
        await until(lambda: receiver.is_connected)
        await asyncio.to_thread(send, broker, secret, b"1")
        await inbox.wait(1)


async def test_it_loses_nothing_to_a_device_with_its_client_id(broker: ManagedBroker, secret: str) -> None:
    address = Broker.from_url(broker.ingest_url)
    async with receiving(address, Inbox(), client_id=CLIENT_ID) as receiver:
        await until(lambda: receiver.is_connected)
    for payload in (b"1", b"2"):  # while it is away; the broker would hand its session to whoever takes its name
        await asyncio.to_thread(send, broker, secret, payload, CLIENT_ID)
    inbox = Inbox()
    async with receiving(address, inbox, client_id=CLIENT_ID):
        await inbox.wait(2)
    assert [message.payload for message in inbox] == [b"1", b"2"]


async def test_it_comes_back_to_a_broker_that_lost_its_accounts(broker: ManagedBroker, secret: str) -> None:
    inbox = Inbox()
    async with receiving(Broker.from_url(broker.ingest_url), inbox, client_id=CLIENT_ID) as receiver:
        await until(lambda: receiver.is_connected)
        broker.stop()
        broker.wipe()
        broker.start()
        await asyncio.to_thread(sync_elsewhere)
        async with asyncio.timeout(30):
            while not receiver.is_connected:
                await asyncio.sleep(0.05)
        await asyncio.to_thread(send, broker, secret, b"1")
        await inbox.wait(1)
