import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from inqube import health


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("path", ["/health", "/readyz"])
def test_it_is_well_when_all_answer(client: Client, transactional_db: None, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200, response.json()
    answer = response.json()
    assert answer["status"] == "ok"
    assert {name: check["status"] for name, check in answer["checks"].items()} == {
        "database": "ok",
        "migrations": "ok",
        "valkey": "ok",
    }
    assert response["Cache-Control"] == "no-store"


def test_it_says_that_valkey_is_gone(
    client: Client, transactional_db: None, settings: Settings, unreachable_port: int
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{unreachable_port}/0"
    response = client.get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "down"
    assert response.json()["checks"]["valkey"]["status"] == "unreachable"
    assert response.json()["checks"]["database"]["status"] == "ok"
    assert str(unreachable_port) not in response.content.decode()


def test_it_says_that_the_database_is_gone(
    client: Client, transactional_db: None, monkeypatch: pytest.MonkeyPatch, unreachable_port: int
) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", str(unreachable_port))
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"]["status"] == "unreachable"


def test_it_says_that_migrations_are_pending(client: Client, transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'sessions' RETURNING app, name, applied",
        )
        rows = cursor.fetchall()
    try:
        response = client.get("/health")
        assert response.status_code == 503
        assert response.json()["checks"]["migrations"]["status"].startswith("migrations are pending")
    finally:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", rows)


def test_it_does_not_wait_for_a_server_that_is_silent(
    client: Client, transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    monkeypatch.setattr(health, "LIMIT_S", 0.2)
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", str(silent_port))
    started = time.monotonic()
    response = client.get("/health")
    assert time.monotonic() - started < 1
    assert {check["status"] for check in response.json()["checks"].values()} == {"no answer within 0.2 s"}


def test_it_lives_while_everything_else_is_down(client: Client, settings: Settings, unreachable_port: int) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{unreachable_port}/0"
    assert client.get("/livez").json() == {"status": "ok"}


def test_it_runs_the_checks_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    together = asyncio.Barrier(3)  # lets nobody pass until all three are there

    async def check() -> None:
        await together.wait()

    monkeypatch.setattr(health, "CHECKS", dict.fromkeys(("a", "b", "c"), check))
    response = asyncio.run(health.health(None))  # type: ignore[arg-type]
    assert response.status_code == 200, response.content


async def test_it_checks_once_for_all_who_ask_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = 0

    async def check() -> None:
        nonlocal checked
        checked += 1
        await asyncio.sleep(0.2)

    monkeypatch.setattr(health, "CHECKS", {"database": check})
    request = RequestFactory().get("/health")
    answers = await asyncio.gather(*(health.health(request) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert checked == 1
    await health.health(request)
    assert checked == 2
