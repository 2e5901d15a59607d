"""Ingest on its own port: as it starts, works, stands by, loses its broker or its database, and recovers."""

import json
import time
from typing import Any

import paho.mqtt.publish
import pytest

from conftest import Manage
from inqube import embedded
from plants.models import Plant
from telemetry.models import Reading
from telemetry.tests.faults.scene import Restartable, Scene
from telemetry.tests.probes.asking import Port
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

TOPIC = "inqube/v1/kandy/rolling/roller-2/t/temp"


def publish(broker_url: str, count: int) -> None:
    """So many messages, each of one reading."""
    host, port = broker_url.removeprefix("mqtt://").split(":")
    at = time.time_ns() // 1_000_000
    messages: list[Any] = [(TOPIC, json.dumps({"v": 1.5, "ts": at - i}), 1, False) for i in range(count)]
    paho.mqtt.publish.multiple(messages, host, int(port), protocol=paho.mqtt.client.MQTTv5)


def test_it_tells_of_itself_while_it_works(manage: Manage, broker_url: str, kandy: Plant) -> None:
    port = Port(embedded.free_port())
    ingest = manage("ingest", MQTT_URL=broker_url, INGEST_HEALTH_PORT=str(port.port))
    answer = port.until("/readyz", 200)
    assert answer["process"] == "ingest"
    assert answer["checks"]["role"]["role"] == "leader"
    assert answer["checks"]["commit"]["age_s"] is None
    assert answer["checks"]["directory"]["age_s"] < 60
    publish(broker_url, 3)
    wait_until(lambda: Reading.objects.count() == 3)
    wait_until(lambda: port.get("/health").json()["checks"]["commit"]["age_s"] is not None)
    assert port.get("/livez").json()["status"] == "ok"
    metrics = port.metrics()
    assert metrics["inqube_ingest_received_messages_total"] == 3
    assert metrics["inqube_ingest_batch_readings_sum"] == 3
    assert metrics["inqube_ingest_connections_total"] == 1
    assert metrics["inqube_ingest_directory_sensors"] == 3
    assert metrics['inqube_ingest_stage_seconds_total{stage="store"}'] > 0
    assert metrics["inqube_event_loop_lag_seconds_count"] > 0
    assert metrics["process_resident_memory_bytes"] > 1_000_000
    ingest.terminate()
    assert ingest.wait(30) == 0
    assert not embedded.accepts_connections(port.port)


def test_it_is_healthy_while_it_stands_by(manage: Manage, broker_url: str, kandy: Plant) -> None:
    """A machine's shards share an environment, so a standby there waits for the port, too."""
    first, second = Port(embedded.free_port()), Port(embedded.free_port())
    leader = manage("ingest", MQTT_URL=broker_url, INGEST_HEALTH_PORT=str(first.port))
    first.until("/readyz", 200, "ok")
    manage("ingest", MQTT_URL=broker_url, INGEST_HEALTH_PORT=str(second.port))
    answer = second.until("/readyz", 200, "ok")
    assert answer["checks"]["role"]["role"] == "standby"
    assert second.metrics()["inqube_ingest_leads"] == 0
    leader.kill()
    wait_until(lambda: second.get("/readyz").json()["checks"]["role"]["role"] == "leader", 60)
    second.until("/readyz", 200, "ok")


def test_it_gives_each_shard_of_a_machine_a_port(manage: Manage, broker_url: str, kandy: Plant) -> None:
    port = Port(embedded.free_port())
    manage("ingest", "--shard", "2/2", MQTT_URL=broker_url, INGEST_HEALTH_PORT=str(port.port - 1))
    port.until("/readyz", 200)


def test_it_is_not_ready_without_a_broker(manage: Manage, kandy: Plant) -> None:
    port = Port(embedded.free_port())
    url = f"mqtt://127.0.0.1:{embedded.free_port()}"
    manage("ingest", MQTT_URL=url, INGEST_HEALTH_PORT=str(port.port))
    answer = port.until("/readyz", 503)
    assert answer["checks"]["database"]["status"] == "ok"
    wait_until(lambda: port.get("/readyz").json()["checks"].get("broker") == {"status": "not connected"})
    assert port.get("/livez").status_code == 200


@pytest.mark.mosquitto
def test_it_lives_and_is_not_ready_while_the_database_is_down(scene: Scene, postgres: Restartable) -> None:
    port = Port(embedded.free_port())
    scene.ingest(INGEST_HEALTH_PORT=str(port.port))
    port.until("/readyz", 200, "ok")
    postgres.stop()
    answer = port.until("/readyz", 503)
    assert answer["checks"]["database"]["status"] != "ok"
    assert answer["checks"]["broker"]["status"] == "ok"
    assert port.get("/livez").status_code == 200
    postgres.start()
    port.until("/readyz", 200, "ok")


def test_it_gives_metrics_to_who_may_have_them(manage: Manage, broker_url: str, kandy: Plant) -> None:
    token = "scrape-scrape-0123456789-0123456789"
    port = Port(embedded.free_port())
    manage("ingest", MQTT_URL=broker_url, INGEST_HEALTH_PORT=str(port.port), METRICS_TOKEN=token)
    port.until("/livez", 200)
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    assert port.get("/metrics").status_code == 200
    assert port.get("/metrics", **elsewhere).status_code == 403
    assert port.get("/metrics", **elsewhere, Authorization=f"Bearer {token}").status_code == 200
