"""Health of a web process: what it says of what it depends on, and what takes it out of a load balancer."""

import asyncio
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client, RequestFactory
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from inqube import health
from telemetry.models import IngestShard
from telemetry.probes import checks
from telemetry.probes.checks import Check, Together


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def ingest(age_s: float = 1, **fields: Any) -> IngestShard:
    """An ingest process as of so many seconds ago."""
    at = now() - timedelta(seconds=age_s)
    known = {"shard": 1, "of": 1, "host": "a", "pid": 1, "started_at": at, "seen_at": at, "contact_at": at}
    return IngestShard.objects.create(**{"client_id": "one", "committed_at": at} | known | fields)


def worker(age_s: float = 1) -> None:
    with connection.cursor() as cursor:
        at = now() - timedelta(seconds=age_s)
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [at])


def statuses(response: Any) -> dict[str, str]:
    return {name: check["status"] for name, check in response.json()["checks"].items()}


def test_it_is_well_when_all_answer(client: Client, transactional_db: None) -> None:
    ingest(age_s=2)
    worker(age_s=3)
    response = client.get("/health")
    assert response.status_code == 200, response.json()
    answer = response.json()
    assert (answer["status"], answer["version"]) == ("ok", configured.VERSION)
    assert statuses(response) == dict.fromkeys(["database", "migrations", "valkey", "ingest", "worker"], "ok")
    assert 2 <= answer["checks"]["ingest"]["age_s"] < 10
    assert 3 <= answer["checks"]["worker"]["age_s"] < 20
    assert response["Cache-Control"] == "no-store"


def test_it_is_ready_without_ingest_and_worker(client: Client, transactional_db: None) -> None:
    """Or a load balancer would take all web processes out because ingest is down."""
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert statuses(response) == {"database": "ok", "migrations": "ok", "valkey": "ok", "ingest": "not running"}
    response = client.get("/health")
    assert (response.status_code, response.json()["status"]) == (503, "degraded")
    assert statuses(response)["worker"] == "not running"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "ok"),
        ({"age_s": 60}, "1 of 1 silent"),
        ({"contact_at": None}, "1 of 1 not connected to the broker"),
        ({"lag_s": 42.0}, "behind: a message has waited 42 s for its commit"),
        ({"committed_at": now() - timedelta(days=1)}, "ok"),  # nothing has come since
        ({"age_s": 60, "stopped_at": now()}, "not running"),
    ],
)
def test_it_says_how_ingest_is(client: Client, transactional_db: None, fields: dict[str, Any], status: str) -> None:
    ingest(**fields)
    worker()
    assert statuses(client.get("/readyz"))["ingest"] == status
    assert client.get("/readyz").status_code == 200
    assert client.get("/health").status_code == (200 if status == "ok" else 503)


def test_it_says_which_jobs_failed(client: Client, transactional_db: None) -> None:
    worker()
    with connection.cursor() as cursor:
        values = "('latest', 'default', 'failed', '{}')"
        cursor.execute(f"INSERT INTO procrastinate_jobs (task_name, queue_name, status, args) VALUES {values}")
    check = client.get("/health").json()["checks"]["worker"]
    assert (check["status"], check["failed"], check["late"]) == ("jobs failed", ["latest"], [])


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
    monkeypatch.setattr(checks, "LIMIT_S", 0.2)
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", str(silent_port))
    started = time.monotonic()
    response = client.get("/health")
    assert time.monotonic() - started < 1
    assert set(statuses(response).values()) == {"no answer within 0.2 s"}


def test_it_lives_while_everything_else_is_down(client: Client, settings: Settings, unreachable_port: int) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{unreachable_port}/0"
    assert client.get("/livez").json() == {"status": "ok"}


async def test_it_checks_once_for_all_who_ask_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = 0

    async def run() -> dict[str, Check]:
        nonlocal checked
        checked += 1
        await asyncio.sleep(0.2)
        return {name: Check() for name in health.TO_BE_READY}

    monkeypatch.setattr(health, "together", Together(run))
    request = RequestFactory().get("/health")
    answers = await asyncio.gather(*(view(request) for view in [health.health, health.ready] * 10))
    assert {answer.status_code for answer in answers} == {200}
    assert checked == 1
    await health.health(request)
    assert checked == 2
