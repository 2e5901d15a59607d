"""From a reading to a webhook, by a real worker."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now
from procrastinate.contrib.django import app

from alarms.models import Delivery, NotificationChannel, NotificationPolicy, NotificationStep, Rule
from alarms.tests.notifications.servers import WebhookServer
from conftest import Manage
from plants.models import Plant, Sensor
from plants.scales import GOOD
from telemetry.ingest.ledger import Kind
from telemetry.ingest.store import Store
from telemetry.maintenance import connect

LIMIT_S = 60


@pytest.fixture
def watched(transactional_db: None, kandy: Plant) -> Sensor:
    temp = Sensor.objects.get(slug="temp")
    Rule.objects.create(plant=kandy, sensor=temp, kind="high", setpoint=80, severity="critical")
    return temp


def subscribe(plant: Plant, url: str) -> None:
    channel = NotificationChannel.objects.create(plant=plant, name="Duty", kind="webhook", url=url)
    policy = NotificationPolicy.objects.create(plant=plant, name="Severe", severity="high")
    NotificationStep.objects.create(policy=policy, channel=channel)


def store(sensor: Sensor, value: float) -> None:
    with connect() as connection:
        Store(lambda: connection, kind=Kind.HTTP).write([(sensor.number, time.time_ns() // 1000, value, GOOD)])


def hang(server: WebhookServer) -> None:
    server.ended.wait()


def until(look: Callable[[], Any], worker: Any) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not look():
        assert time.monotonic() < deadline, f"it did not happen in time; the worker said:\n{worker.log.read_text()}"
        time.sleep(0.05)


def test_it_tells_a_webhook_of_a_stored_reading_and_tries_again(manage: Manage, watched: Sensor) -> None:
    with WebhookServer() as server:
        server.statuses = [500, 200]
        subscribe(watched.machine.zone.plant, server.url)
        store(watched, 85)
        worker = manage("procrastinate", "worker", NOTIFY_PRIVATE_NETWORKS="127.0.0.0/8")
        until(lambda: Delivery.objects.filter(state="sent").exists(), worker)
    delivery = Delivery.objects.get()
    assert list(delivery.tries.values_list("outcome", flat=True)) == ["500 Internal Server Error: ok", "200 OK"]
    assert [json.loads(request.body)["subject"] for request in server.received] == [
        "[Critical] Roller 2: temperature high"
    ] * 2
    said = worker.log.read_text()  # type: ignore[attr-defined]
    assert "job failed" in said
    assert "Traceback" not in said


def test_it_sends_what_a_worker_was_sending_that_was_killed(manage: Manage, watched: Sensor) -> None:
    allowed = {"NOTIFY_PRIVATE_NETWORKS": "127.0.0.0/8"}
    with WebhookServer() as server:
        server.misbehave = lambda handler: hang(server)
        subscribe(watched.machine.zone.plant, server.url)
        store(watched, 85)
        killed = manage("procrastinate", "worker", **allowed)
        until(lambda: server.received, killed)
        killed.kill()
        killed.wait()
        server.misbehave = None
        Delivery.objects.update(claimed_at=now() - timedelta(minutes=6))  # as if that was long ago
        with connect() as connection:
            connection.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
            connection.execute("DELETE FROM procrastinate_jobs WHERE task_name <> 'deliver'")
        app.configure_task("rescue").defer(timestamp=0)
        worker = manage("procrastinate", "worker", **allowed)
        until(lambda: Delivery.objects.filter(state="sent").exists(), worker)
    first, second = (request.headers["X-InQube-Delivery"] for request in server.received)
    assert first == second == str(Delivery.objects.get().pk)
