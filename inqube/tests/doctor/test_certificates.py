"""When certificates end: of servers that speak TLS at once or after a greeting, and in files."""

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from inqube.doctor import certificates
from inqube.doctor.findings import Finding, Status
from inqube.tests.doctor.conftest import ask
from plants.tests.certificates import Authority

DAY = datetime.timedelta(days=1)

Serve = Callable[..., int]


def found(name: str) -> Finding:
    (area,) = (area for area in certificates.AREAS if name in area.checks)
    return ask(area)[name]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path, "ca")


@pytest.fixture
def serve(authority: Authority) -> Iterator[Serve]:
    """Gives the port of a server whose certificate ends in so many days."""
    listeners: list[socket.socket] = []

    def start(days: float, *, as_postgres: bool = False) -> int:
        authority.issue("server", "server", ends=now() + days * DAY)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.directory / "server.crt", authority.directory / "server.key")
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                if as_postgres:
                    assert connection.recv(8) == certificates.SSL_REQUEST
                    connection.sendall(b"S")
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    encrypted.recv(1)

        threading.Thread(target=answer, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(
    ("days", "status", "words"),
    [
        (90.5, Status.OK, "good until"),
        (6.5, Status.WARNING, "in 6 days"),
        (-1, Status.FAILED, "ended on"),
    ],
)
def test_it_says_when_the_brokers_ends(serve: Serve, settings: Any, days: float, status: Status, words: str) -> None:
    settings.MQTT_URL = f"mqtts://127.0.0.1:{serve(days)}"
    line = found("broker-certificate")
    assert line.status == status
    assert words in line.detail


def test_it_says_when_that_of_the_web_has_ended(serve: Serve, settings: Any) -> None:
    settings.PUBLIC_URL = f"https://127.0.0.1:{serve(-1)}"
    assert found("web-certificate").status == Status.FAILED


def test_it_greets_a_database_first(serve: Serve, settings: Any) -> None:
    port = serve(3.5, as_postgres=True)
    settings.DATABASE_URL = f"postgres://127.0.0.1:{port}/inqube?sslmode=require"
    line = found("database-certificate")
    assert line.status == Status.WARNING
    assert "the database" in line.detail


def test_it_asks_no_server_without_tls(settings: Any) -> None:
    settings.MQTT_URL = "mqtt://127.0.0.1:1"
    settings.PUBLIC_URL = "http://127.0.0.1:1"
    names = ("broker-certificate", "web-certificate", "database-certificate", "certificate-files")
    assert {found(name).status for name in names} == {Status.SKIPPED}


def test_it_reads_the_files_and_names_the_one_that_ends_first(authority: Authority, settings: Any) -> None:
    settings.MQTT_CA_FILE = authority.certificate
    settings.MQTT_CERT_FILE, settings.MQTT_KEY_FILE = authority.issue("client", "ingest", ends=now() - DAY)
    line = found("certificate-files")
    assert line.status == Status.FAILED
    assert "MQTT_CERT_FILE" in line.detail


def test_it_says_which_file_it_cannot_read(tmp_path: Path, settings: Any) -> None:
    settings.MQTT_CA_FILE = str(tmp_path / "none.pem")
    assert "MQTT_CA_FILE" in found("certificate-files").detail
    (tmp_path / "none.pem").write_text("no certificate")
    assert found("certificate-files").status == Status.FAILED
