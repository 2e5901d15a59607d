"""docs/metrics.md has every metric of every process, and no other."""

import re
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.test import Client
from prometheus_client.exposition import generate_latest

from telemetry.ingest.batch import Limits
from telemetry.ingest.counters import Tally
from telemetry.ingest.fair import Rates
from telemetry.ingest.pipeline import Pipeline
from telemetry.ingest.process import Life
from telemetry.ingest.quarantine import Room
from telemetry.ingest.resolve import Directory
from telemetry.models import DeadTotal, IngestShard
from telemetry.probes import ingest
from telemetry.probes.port import Process
from telemetry.probes.worker import JobTally, probed
from telemetry.tests.ingest.receiving import broker_at

EVERY = "Of every process"


def documented(*headings: str) -> set[str]:
    page = (settings.BASE_DIR / "docs" / "metrics.md").read_text()
    sections = {section.partition("\n")[0]: section for section in page.split("\n## ")}
    return {name for heading in headings for name in re.findall(r"^\| `(inqube_\w+)", sections[heading], re.MULTILINE)}


def exposed(text: bytes) -> set[str]:
    return set(re.findall(r"^# TYPE (inqube_\w+)", text.decode(), re.MULTILINE))


def of(process: Process) -> set[str]:
    return exposed(generate_latest(process.vitals.registry))


def test_it_has_those_of_web_processes(client: Client, transactional_db: None) -> None:
    moment = datetime.now(UTC)
    DeadTotal.objects.create(kind="mqtt", reason="bad_quality", samples=7)
    IngestShard.objects.create(
        client_id="a", shard=1, of=1, host="a", pid=1, started_at=moment, seen_at=moment, committed_at=moment
    )
    client.get("/livez")
    assert exposed(client.get("/metrics").content) == documented("Of the installation", "Of a web process", EVERY)


def test_it_has_those_of_ingest() -> None:
    pipeline = Pipeline(broker_at(1), "a", Limits(1, 1), 90, 60, Room(1, 1, 1), Rates(0))
    pipeline._use_directory(Directory({}, {}))
    assert of(ingest.probed(Life(pipeline), Tally())) == documented("Of ingest, on its port", EVERY)


def test_it_has_those_of_a_worker() -> None:
    assert of(probed(JobTally())) == documented("Of a worker, on its port", EVERY)


@pytest.mark.parametrize(
    "name",
    [
        "inqube_ingest_messages_total",
        "inqube_ingest_readings_total",
        "inqube_ingest_commit_seconds",
        "inqube_ingest_lag_seconds",
        "inqube_ingest_unacknowledged",
        "inqube_dead_letters_total",
        "inqube_broker_dropped_total",
        "inqube_live_clients",
        "inqube_live_frames_total",
        "inqube_alarms_open",
    ],
)
def test_it_keeps_the_names_that_were_promised(name: str) -> None:
    assert name in documented("Of the installation", "Of a web process")
