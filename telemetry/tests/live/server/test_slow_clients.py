"""Clients that never read, or never answer: what they cost is bounded, and then they are gone."""

import base64
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import psutil
import pytest

from telemetry.tests.live.server.conftest import Connect, Publish, StartWeb
from telemetry.tests.waiting import wait_until
from telemetry.tests.web_server import WebServer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

TOO_SLOW = 4408
SILENT_AFTER_S = 30
SENSORS = range(1, 4001)
FRAMES = 50
DEAF = 20
BOUND_BYTES = 20_000_000  # each to each, without the 4 MB a socket that the kernel takes, would be 80 million

OpenDeaf = Callable[[WebServer], None]


@pytest.fixture
def open_deaf(token: str) -> Iterator[OpenDeaf]:
    """`open_deaf(web)`: a client that follows kandy and never reads a byte once it is connected."""
    with ExitStack() as opened:

        def open_one(web: WebServer) -> None:
            connection = opened.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", web.port))
            key = base64.b64encode(os.urandom(16)).decode()
            connection.sendall(
                f"GET /api/v1/ws/telemetry HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                f"Authorization: Bearer {token}\r\n\r\n".encode()
            )
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += connection.recv(1)
            assert answer.startswith(b"HTTP/1.1 101"), answer
            connection.sendall(masked(json.dumps({"type": "subscribe", "plant": "kandy", "max_hz": 10}).encode()))

        yield open_one


def masked(text: bytes) -> bytes:
    """A text frame of a client, of less than 126 bytes, masked with zeros (RFC 6455, section 5.2)."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


def metric(web: WebServer, name: str) -> int:
    found = re.search(rf"^{re.escape(name)} (\d+)", httpx.get(f"{web.url}/metrics").text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def clients(web: WebServer) -> int:
    """Signed in, by the server's metrics."""
    return metric(web, "inqube_live_clients")


def sent(web: WebServer) -> int:
    return metric(web, 'inqube_live_frames_total{result="sent"}')


def connections(web: WebServer) -> int:
    """Open ones, but for those that the client has closed."""
    found = psutil.Process(web.process.pid).net_connections("tcp")
    return sum(each.status == "ESTABLISHED" and each.laddr.port == web.port for each in found)


def test_it_keeps_little_for_clients_that_never_read_and_others_hear_everything(
    start_web: StartWeb, connect: Connect, publish: Publish, open_deaf: OpenDeaf
) -> None:
    web = start_web()
    client = connect(web)
    client.subscribe()
    assert client.hear()["type"] == "snapshot"

    def publish_and_hear(value: float) -> None:
        publish(dict.fromkeys(SENSORS, value))
        client.hear_until(lambda: client.view.get(SENSORS[-1], (0, None))[1] == value)

    publish_and_hear(-1.0)
    frames = sent(web)
    for _ in range(DEAF):
        open_deaf(web)
    wait_until(lambda: sent(web) == frames + DEAF)  # snapshots
    memory = psutil.Process(web.process.pid).memory_info
    before = memory().rss
    for number in range(FRAMES):
        publish_and_hear(float(number))
    assert clients(web) == DEAF + 1
    assert memory().rss - before < BOUND_BYTES


def test_it_closes_clients_that_never_answer_and_frees_what_they_held(
    start_web: StartWeb, connect: Connect, publish: Publish, open_deaf: OpenDeaf
) -> None:
    web = start_web()
    client, silent = connect(web), connect(web)
    client.subscribe()
    silent.say(type="subscribe", plant="kandy")
    open_deaf(web)
    wait_until(lambda: sent(web) == 3)
    publish(dict.fromkeys(SENSORS, 1.0))

    def is_alone() -> bool:
        client.say(type="ping")
        client.hear_until(lambda: client.last == "pong")
        return connections(web) == 1

    assert not is_alone()
    wait_until(is_alone, within_s=2 * SILENT_AFTER_S)
    assert silent.hear_close() == TOO_SLOW
    assert clients(web) == 1
