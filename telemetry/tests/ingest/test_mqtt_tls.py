"""Receive over TLS: from brokers it trusts, and from no others."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from telemetry.tests.ingest.receiving import Inbox, broker_at, receiving, until
from telemetry.tests.ingest.scripted_broker import publish, scripted_broker


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_it_speaks_tls_with_a_broker_it_trusts(certificate: Path) -> None:
    inbox = Inbox()
    trust = ssl.create_default_context(cafile=str(certificate))
    async with (
        scripted_broker(server_tls(certificate)) as broker,
        receiving(broker_at(broker.port, tls=True), inbox, trust),
    ):
        link = await broker.next_link()
        await link.welcome()
        await link.say(publish(1))
        await inbox.wait(1)


async def test_it_refuses_a_broker_it_does_not_trust(certificate: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        scripted_broker(server_tls(certificate)) as broker,
        receiving(broker_at(broker.port, tls=True), Inbox()) as receiver,
    ):
        await until(lambda: "certificate verify failed" in caplog.text)
        assert not receiver.is_connected
