"""A worker on its own port: what its jobs came to, and how it is while the database is away."""

import pytest
from django.db import connection

from conftest import Manage
from inqube import embedded
from telemetry.tests.faults.scene import Restartable, Scene, log_of
from telemetry.tests.probes.asking import Port
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


def test_it_tells_of_itself_and_of_its_jobs(manage: Manage) -> None:
    port = Port(embedded.free_port())
    worker = manage("procrastinate", "worker", WORKER_HEALTH_PORT=str(port.port))
    answer = port.until("/readyz", 200)
    assert answer["process"] == "worker"
    wait_until(lambda: port.metrics().get('inqube_jobs_total{job="partitions",result="done"}') == 1, 60)
    metrics = port.metrics()
    assert metrics['inqube_job_seconds_count{job="partitions"}'] == 1
    assert metrics["inqube_jobs_running"] >= 1  # the one that watches alarms goes on
    assert metrics["process_resident_memory_bytes"] > 1_000_000
    answer = port.until("/health", 200, "ok")
    assert answer["checks"]["heartbeat"]["age_s"] is not None
    assert port.get("/livez").json()["status"] == "ok"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")
    assert port.until("/readyz", 503)["checks"]["heartbeat"]["status"] == "this worker was not heard of for a while"
    worker.terminate()
    assert worker.wait(30) == 0


@pytest.mark.mosquitto
def test_it_lives_and_is_not_ready_while_the_database_is_down(scene: Scene, postgres: Restartable) -> None:
    port = Port(embedded.free_port())
    environment = {"WORKER_HEALTH_PORT": str(port.port), "DATABASE_URL": postgres.server.url}
    worker = scene.manage("procrastinate", "worker", **environment)
    port.until("/readyz", 200, "ok")
    postgres.stop()
    assert port.until("/readyz", 503)["checks"]["database"]["status"] != "ok"
    wait_until(lambda: "beginning again" in log_of(worker), 60)
    assert port.get("/livez").status_code == 200
    postgres.start()
    port.until("/readyz", 200)
    wait_until(lambda: port.get("/readyz").json()["checks"]["heartbeat"]["age_s"] is not None, 90)
