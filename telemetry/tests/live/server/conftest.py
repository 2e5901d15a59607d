"""Web servers as processes, and what their clients need."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from accounts.models import User
from accounts.tokens import issue_access_token
from plants.models import Plant
from plants.scales import GOOD
from telemetry.live.publish import LivePublisher
from telemetry.tests.live.server.client import Client
from telemetry.tests.web_server import WebServer

StartWeb = Callable[..., WebServer]
Connect = Callable[..., Client]
Publish = Callable[[Mapping[int, float]], None]


@pytest.fixture
def start_web(process_env: dict[str, str], transactional_db: None, tmp_path: Path) -> Iterator[StartWeb]:
    """`start_web(REDIS_URL=…)`: a web server, gone after the test; keyword arguments go into its environment."""
    started: list[WebServer] = []

    def start(**environment: str) -> WebServer:
        started.append(WebServer(process_env | environment, tmp_path / f"daphne-{len(started)}.log"))
        return started[-1]

    yield start
    for web in started:
        web.kill()


@pytest.fixture
def token(vera: User) -> str:
    return issue_access_token(vera)


@pytest.fixture
def connect(token: str) -> Iterator[Connect]:
    """`connect(web)`: a client of that server, signed in as Vera."""
    clients: list[Client] = []

    def open_client(web: WebServer) -> Client:
        client = Client(web, token)
        clients.append(client)
        assert client.hear()["type"] == "ready"
        return client

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def publish(kandy: Plant) -> Iterator[Publish]:
    """`publish({sensor number: value, …})`: what ingest does after a commit; sensors needn't exist."""
    publisher = LivePublisher()
    with asyncio.Runner() as runner:

        def send(values: Mapping[int, float]) -> None:
            publisher.offer(
                [(number, time.time_ns() // 1000, value, GOOD) for number, value in values.items()],
                dict.fromkeys(values, kandy.pk),
            )
            runner.run(publisher.flush())

        yield send
