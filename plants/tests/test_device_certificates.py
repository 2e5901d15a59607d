"""Devices and InQube's own processes over TLS, with certificates or without, on a real Mosquitto."""

import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plants.broker_sync import sync
from plants.dynamic_security import BrokerError
from plants.models import Plant
from plants.models.devices import Device
from plants.tests.certificates import Authority
from plants.tests.mosquitto import ADMIN, ADMIN_PASSWORD, ManagedBroker, Visitor, managed_broker

pytestmark = pytest.mark.mosquitto

INSIDE = "inqube/v1/kandy/rolling/roller-2/t"
OUTSIDE = "inqube/v1/kandy/drying/dryer-1/t"


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, Authority]:
    """Those that sign for the broker itself, for devices, and for InQube's processes."""
    directory = tmp_path / "certs"
    directory.mkdir()
    names = ("ca", "devices-ca", "processes-ca", "strangers-ca")
    authorities = {name: Authority.make(directory, name) for name in names}
    authorities["ca"].issue("server", "broker")
    return authorities


@pytest.fixture
def broker(tmp_path: Path, certificates: dict[str, Authority], settings: Any) -> Iterator[ManagedBroker]:
    with managed_broker(tmp_path, "tls.conf", "certificates.conf") as broker:
        settings.MQTT_ADMIN_URL, settings.MQTT_URL = broker.admin_url, broker.ingest_url
        yield broker


@pytest.fixture
def device(broker: ManagedBroker, kandy: Plant) -> Device:
    device = Device(plant=kandy, name="gateway", prefix="rolling")
    device.issue_secret()
    device.save()
    sync()
    return device


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(broker: ManagedBroker, certificates: dict[str, Authority]) -> Iterator[Visit]:
    """Connects with a certificate of this common name, or with none."""
    visitors: list[Visitor] = []

    def visit(
        common_name: str | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> Visitor:
        tls = ssl.create_default_context(cafile=certificates["ca"].certificate)
        if common_name is not None:
            authority = certificates[more.pop("authority", "devices-ca")]
            tls.load_cert_chain(*authority.issue("client", common_name))
        port = broker.ports[more.pop("port", 8884)]
        visitors.append(Visitor(port, username, password, more.pop("client_id", ""), tls=tls))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.leave()


def test_it_takes_a_secret_over_tls(visit: Visit, device: Device) -> None:
    secret = device.recompute(device.secret_hash)
    gateway = visit(None, "kandy/gateway", secret, port=8883)
    assert gateway.publish(INSIDE)
    assert not gateway.publish(OUTSIDE)


def test_it_takes_a_certificate_for_a_secret(visit: Visit, device: Device) -> None:
    gateway = visit("kandy/gateway")
    assert gateway.publish(INSIDE)
    assert not gateway.publish(OUTSIDE)
    assert not gateway.subscribe("inqube/v1/#")


def test_it_goes_by_the_certificate_alone(visit: Visit, device: Device) -> None:
    gateway = visit("kandy/gateway", ADMIN, ADMIN_PASSWORD)
    assert not gateway.subscribe("$CONTROL/#")
    assert gateway.publish(INSIDE)


def test_it_takes_no_certificate_of_strangers(visit: Visit, device: Device) -> None:
    assert not visit("kandy/gateway", authority="strangers-ca").is_let_in


def test_it_wants_a_certificate(visit: Visit, device: Device) -> None:
    assert not visit(None, "kandy/gateway", device.recompute(device.secret_hash)).is_let_in


def test_a_certificate_of_no_device_may_do_nothing(visit: Visit, device: Device) -> None:
    nobody = visit("kandy/unknown")
    assert not nobody.publish(INSIDE)
    assert not nobody.subscribe("#")


def test_a_certificate_stays_good_when_the_secret_is_rotated(visit: Visit, device: Device) -> None:
    device.rotate(timedelta(0))
    sync()
    gateway = visit("kandy/gateway")
    assert gateway.publish(INSIDE)
    assert not visit(None, "kandy/gateway", "", port=8883).is_let_in


def test_a_certificate_ends_with_its_device(visit: Visit, device: Device) -> None:
    gateway = visit("kandy/gateway")
    device.revoke()
    sync()
    assert gateway.gone.wait(5)
    assert not visit("kandy/gateway").publish(INSIDE)


def test_a_certificate_takes_no_session_but_its_own(visit: Visit, device: Device) -> None:
    ingest = visit("ingest", "inqube", "ingests", port=8885, authority="processes-ca", client_id="inqube-ingest")
    assert ingest.subscribe("inqube/v1/#")
    assert visit("kandy/gateway", client_id="inqube-ingest").publish(INSIDE)
    assert len(ingest.received(1)) == 1
    assert not ingest.gone.is_set()


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_it_signs_in_with_a_certificate_of_its_own(
    broker: ManagedBroker, certificates: dict[str, Authority], settings: Any, device: Device
) -> None:
    settings.MQTT_ADMIN_URL = f"mqtts://{ADMIN}:{ADMIN_PASSWORD}@127.0.0.1:{broker.ports[8885]}"
    with pytest.raises(BrokerError, match="certificate verify failed"):
        sync()
    settings.MQTT_CA_FILE = certificates["ca"].certificate
    with pytest.raises(BrokerError):
        sync()
    settings.MQTT_CERT_FILE, settings.MQTT_KEY_FILE = certificates["processes-ca"].issue("worker", "worker")
    assert sync().done == []
