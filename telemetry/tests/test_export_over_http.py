"""Exports from a real daphne: what a client that stalls or leaves costs, and what it sees when the database goes."""

import http.client
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date

import psycopg
import pytest

from accounts.models import User
from accounts.tokens import issue_access_token
from inqube import embedded
from plants.models import Sensor
from telemetry.api.export import EXPORTS_OF_A_USER
from telemetry.queries.copy_out import APPLICATION_NAME
from telemetry.storage import connection_params, flavour
from telemetry.tests.samples import TEMP

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

READINGS = 400_000  # about 25 MB as CSV: more than the sockets on the way hold
INSERT = """
INSERT INTO reading (sensor, time, value, quality)
SELECT %s, '2026-11-20Z'::timestamptz + i * interval '100 ms', sin(i), 192 FROM generate_series(1, %s) AS i
"""
BACKENDS = """
SELECT pid, wait_event FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()
"""

Manage = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def database() -> Iterator[psycopg.Connection]:
    with psycopg.connect(**connection_params(), autocommit=True) as connection:
        yield connection


class Server:
    def __init__(self, port: int, token: str, database: psycopg.Connection) -> None:
        self.port, self.token, self.database = port, token, database

    def export(self, version: int = 11) -> http.client.HTTPResponse:
        """The answer's head; its body waits in the sockets, of which ours holds little."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.settimeout(60)
        client.connect(("127.0.0.1", self.port))
        head = f"GET /api/v1/telemetry/export?sensor_id={TEMP} HTTP/1.{version % 10}\r\nHost: localhost\r\n"
        client.sendall(f"{head}Authorization: Bearer {self.token}\r\n\r\n".encode())
        response = http.client.HTTPResponse(client)
        response.begin()
        client.close()  # which leaves it to the response
        return response

    def backends(self) -> list[tuple[int, str]]:
        return self.database.execute(BACKENDS, [APPLICATION_NAME]).fetchall()

    def wait_for_backend(self, wait_event: str) -> int:
        wait_until(lambda: [event for _, event in self.backends()] == [wait_event])
        return self.backends()[0][0]


@pytest.fixture
def server(manage: Manage, vera: User, database: psycopg.Connection) -> Server:
    number = Sensor.objects.named([TEMP]).get().number
    flavour(database).ensure_days(database, [date(2026, 11, 20)])
    database.execute(INSERT, [number, READINGS])
    port = embedded.free_port()
    manage("runserver", f"127.0.0.1:{port}", "--noreload")
    wait_until(lambda: embedded.accepts_connections(port))
    return Server(port, issue_access_token(vera), database)


def wait_until(condition: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_it_waits_for_a_client_that_does_not_read_and_then_gives_it_all(server: Server) -> None:
    """The database waits to send, so that nobody in between keeps what the client has not taken."""
    response = server.export()
    server.wait_for_backend("ClientWrite")
    body = response.read()
    assert body.count(b"\n") == 1 + READINGS
    wait_until(lambda: not server.backends())


def test_it_ends_the_query_when_the_client_leaves(server: Server) -> None:
    """More often than a user may export at once, so that each has given its place back."""
    for _ in range(EXPORTS_OF_A_USER + 1):
        response = server.export()
        assert response.status == 200
        server.wait_for_backend("ClientWrite")
        response.close()
        wait_until(lambda: not server.backends())


@pytest.mark.parametrize("version", [10, 11])
def test_it_never_looks_complete_when_the_database_goes_away(server: Server, version: int) -> None:
    """Without chunks, as HTTP/1.0 has it, only a connection that is reset tells."""
    response = server.export(version)
    pid = server.wait_for_backend("ClientWrite")
    server.database.execute("SELECT pg_terminate_backend(%s)", [pid])
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        response.read()
    with server.export() as again:
        assert again.read().count(b"\n") == 1 + READINGS
