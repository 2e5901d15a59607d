"""Whether ingest, worker and jobs keep up, and what waits for people, by what lies in the database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from alarms.models import NotificationChannel
from inqube.doctor import database, upkeep
from inqube.doctor.findings import Finding, Status
from inqube.tests.doctor.conftest import ask
from plants.models import Plant
from plants.models.devices import Device
from telemetry.maintenance import connect, make_partitions
from telemetry.models import IngestEvent, IngestShard
from telemetry.storage import plain
from telemetry.tests.letters import make_letter

pytestmark = pytest.mark.django_db(transaction=True)


def found() -> dict[str, Finding]:
    return ask(database.area(upkeep.CHECKS))


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def shard(**fields: Any) -> None:
    moment = now()
    given = {"client_id": "one", "shard": 1, "of": 1, "host": "plant-pc", "pid": 17, "is_subscribed": True}
    IngestShard.objects.create(**given | dict.fromkeys(("started_at", "seen_at", "contact_at"), moment) | fields)


def test_it_is_content_with_what_runs() -> None:
    shard()
    execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    execute("UPDATE rollup_state SET mark_from = now(), shown_to = now()")
    with connect() as own:
        make_partitions(own, now())
    lines = found()
    names = ("partitions", "rollups", "ingest", "session", "ledger", "worker", "jobs", "dead-letters")
    assert {lines[name].status for name in names} == {Status.OK}, lines
    assert lines["partitions"].detail == "made for 7 of the coming 7 days"


def test_it_finds_that_nothing_runs() -> None:
    lines = found()
    assert lines["ingest"].status == lines["worker"].status == Status.FAILED
    assert lines["ingest"].remedy.endswith("python manage.py ingest")
    assert lines["worker"].remedy.endswith("manage.py procrastinate worker")


def test_it_finds_that_partitions_run_out() -> None:
    """Made as of five days ago, when the worker was last there."""
    days = [datetime.now(UTC).date() + timedelta(days=ahead) for ahead in range(9)]
    execute("DROP TABLE IF EXISTS " + ", ".join(map(plain.partition_name, days)))
    with connect() as own:
        make_partitions(own, now() - timedelta(days=5))
    line = found()["partitions"]
    assert line.status == Status.WARNING
    assert line.detail == "made for 2 of the coming 7 days"
    assert "manage.py maintain --only partitions" in line.remedy


@pytest.mark.parametrize(("lag", "status"), [("45 minutes", Status.WARNING), ("2 days", Status.FAILED)])
def test_it_finds_rollups_that_lag(lag: str, status: Status) -> None:
    execute(f"UPDATE rollup_state SET mark_from = now(), shown_to = now() - interval '{lag}'")
    assert found()["rollups"].status == status


def test_it_finds_an_ingest_that_is_cut_off() -> None:
    shard(contact_at=now() - timedelta(minutes=2))
    line = found()["ingest"]
    assert line.status == Status.FAILED
    assert line.detail == "one is not connected to the broker"


def test_it_finds_that_the_broker_lost_something() -> None:
    shard()
    IngestEvent.objects.create(at=now(), client_id="one", kind="broker_dropped", count=12, detail="")
    IngestEvent.objects.create(at=now(), client_id="one", kind="session_lost", detail="")
    line = found()["session"]
    assert line.status == Status.WARNING
    assert line.detail == "The broker lost ingest's session. The broker threw messages away"


def test_it_finds_a_ledger_that_does_not_add_up() -> None:
    IngestEvent.objects.create(at=now(), client_id="ledger", kind="ledger_broken", count=1, detail="")
    assert found()["ledger"].status == Status.FAILED


def test_it_finds_a_job_that_failed() -> None:
    execute("INSERT INTO procrastinate_jobs (task_name, queue_name, status) VALUES ('latest', 'default', 'failed')")
    line = found()["jobs"]
    assert (line.status, line.detail) == (Status.WARNING, "Jobs failed: latest")


def test_it_warns_of_dead_letters_before_they_are_deleted(kandy: Plant) -> None:
    make_letter(kandy, received_at=now() - timedelta(days=1))
    assert found()["dead-letters"].status == Status.OK
    make_letter(kandy, received_at=now() - timedelta(days=25))
    line = found()["dead-letters"]
    assert line.status == Status.WARNING
    assert line.detail.startswith("2 to be decided, the oldest deleted in 4")


def test_it_finds_a_channel_that_fails(kandy: Plant) -> None:
    NotificationChannel.objects.create(
        plant=kandy,
        name="Duty",
        kind="webhook",
        url="https://example.org/",
        last_failure_at=now(),
        last_failure="404 Not Found",
    )
    line = found()["notifications"]
    assert line.status == Status.WARNING
    assert "Duty of kandy (404 Not Found)" in line.detail


def test_it_finds_that_email_has_no_server(kandy: Plant, settings: Any) -> None:
    settings.EMAIL_URL = ""
    NotificationChannel.objects.create(plant=kandy, name="Duty", kind="email", addresses="duty@example.org")
    assert found()["notifications"].remedy == "Set EMAIL_URL."


def test_it_finds_devices_that_the_broker_does_not_know(kandy: Plant, settings: Any) -> None:
    settings.MQTT_ADMIN_URL = "mqtt://admin:x@127.0.0.1:1"
    device = Device(plant=kandy, name="gateway")
    device.issue_secret()
    device.save()
    line = found()["devices"]
    assert (line.status, line.remedy) == (Status.WARNING, "python manage.py sync_devices")


@pytest.mark.parametrize(
    ("size", "status"), [(1 << 60, Status.OK), (1, Status.FAILED)], ids=["plenty of room", "no room"]
)
def test_it_judges_the_space_that_was_given(settings: Any, size: int, status: Status) -> None:
    settings.DATABASE_DISK_BYTES = size
    assert found()["database-disk"].status == status


def test_it_finds_the_disk_of_a_database_on_this_machine() -> None:
    line = found()["database-disk"]
    assert line.status != Status.SKIPPED
    assert "free at /" in line.detail
