"""Web servers as processes, and what their clients need."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts.models import User
from accounts.tokens import issue_access_token
from telemetry.tests.live.server.client import Client
from telemetry.tests.web_server import WebServer

StartWeb = Callable[..., WebServer]
Connect = Callable[..., Client]


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
