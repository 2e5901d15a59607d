"""/metrics: who may read it, that its counters only grow, and that it speaks when the database does not."""

import time
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django.utils.timezone import now
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from accounts.models import User
from alarms.tests.alarms import make_alarm
from inqube.api.problems import MEDIA_TYPE
from plants.models import Plant, Sensor
from telemetry.ingest.counters import BOUNDS_S
from telemetry.ingest.store import connect
from telemetry.models import DeadTotal, IngestShard, IngestTotal, LedgerEntry
from telemetry.storage.ledger import check

Samples = dict[str, float]

TOKEN = "scrape-scrape-0123456789-0123456789"
ELSEWHERE = "192.0.2.7"
COUNTS = {"received": 10, "stored": 6, "duplicate": 2, "conflict": 1, "late": 3, "dead": 1}


def scrape(client: Client, **extra: Any) -> Samples:
    """`name{label=value,…}` → number."""
    response = client.get("/metrics", **extra)
    assert response.status_code == 200, response.content
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        (ELSEWHERE, {}, 403),
        ("", {}, 403),  # a unix socket
        ("127.0.0.1", {"X-Forwarded-For": ELSEWHERE}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, 403),
        (ELSEWHERE, {"X-Forwarded-For": "127.0.0.1"}, 403),
        (ELSEWHERE, {"Authorization": f"Bearer {TOKEN}"}, 200),
        (ELSEWHERE, {"Authorization": f"bearer {TOKEN}", "X-Forwarded-For": ELSEWHERE}, 200),
        (ELSEWHERE, {"Authorization": f"Bearer {TOKEN}0"}, 403),
        (ELSEWHERE, {"Authorization": f"Basic {TOKEN}"}, 403),
        (ELSEWHERE, {"Authorization": "Bearer Ünicode"}, 403),
    ],
)
@pytest.mark.parametrize("proxies", [0, 1])
def test_it_is_for_this_machine_and_for_who_has_the_token(
    client: Client,
    transactional_db: None,
    settings: Settings,
    peer: str,
    headers: dict[str, str],
    status: int,
    proxies: int,
) -> None:
    settings.METRICS_TOKEN, settings.TRUSTED_PROXIES = TOKEN, proxies
    response = client.get("/metrics", headers=headers, REMOTE_ADDR=peer)
    assert response.status_code == status
    if status == 403:
        assert response["Content-Type"] == MEDIA_TYPE
        assert b"inqube_" not in response.content


def test_it_takes_no_empty_token(client: Client, transactional_db: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}, REMOTE_ADDR=ELSEWHERE).status_code == 403


def test_it_is_not_for_people_elsewhere(client: Client, transactional_db: None, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/metrics", REMOTE_ADDR=ELSEWHERE).status_code == 403


def test_it_counts_readings_across_the_closing_of_minutes(client: Client, transactional_db: None) -> None:
    moment = now()
    for minutes in (10, 5, 0):
        minute = (moment - timedelta(minutes=minutes)).replace(second=0, microsecond=0)
        LedgerEntry.objects.create(minute=minute, kind="mqtt", source="kandy/rolling/roller-2", **COUNTS)
    with connect() as database:
        (before,) = database.execute("SELECT checked_to FROM ledger_state").fetchone() or ()
        database.execute("UPDATE ledger_state SET checked_to = %s", [moment - timedelta(minutes=20)])
        try:
            counted = [scrape(client)]
            check(database, moment)
            counted.append(scrape(client))
            LedgerEntry.objects.filter(minute__lt=moment - timedelta(minutes=7)).delete()  # as retention does
            counted.append(scrape(client))
        finally:
            database.execute("UPDATE ledger_state SET checked_to = %s", [before])
    for found in counted:
        for result, count in COUNTS.items():
            if result != "received":
                assert found[f"inqube_ingest_readings_total result={result} via=mqtt"] == 3 * count


def test_it_counts_minutes_that_do_not_add_up(client: Client, transactional_db: None) -> None:
    moment = now()
    minute = (moment - timedelta(minutes=10)).replace(second=0, microsecond=0)
    for source in ("a/b/c", "a/b/d"):
        LedgerEntry.objects.create(minute=minute, kind="mqtt", source=source, **COUNTS | {"stored": 5})
    with connect() as database:
        row = database.execute("SELECT checked_to, broken FROM ledger_state").fetchone()
        database.execute("UPDATE ledger_state SET checked_to = %s", [moment - timedelta(minutes=20)])
        try:
            before = scrape(client)["inqube_ledger_broken_total"]
            check(database, moment)
            check(database, moment)
            assert scrape(client)["inqube_ledger_broken_total"] == before + 2
        finally:
            database.execute("UPDATE ledger_state SET checked_to = %s, broken = %s", row)


def test_it_sums_up_what_all_sessions_have_counted(client: Client, transactional_db: None) -> None:
    commits = [0] * (len(BOUNDS_S) + 1)
    for client_id, bucket in (("one", 1), ("two", 3)):
        counts = commits.copy()
        counts[bucket] = 2
        IngestTotal.objects.create(
            client_id=client_id, messages=5, rejected=1, commits=counts, commit_s=0.25, dropped=bucket
        )
    found = scrape(client)
    assert found["inqube_ingest_messages_total result=accepted"] == 8
    assert found["inqube_ingest_messages_total result=rejected"] == 2
    assert found["inqube_broker_dropped_total"] == 4
    buckets = [found[f"inqube_ingest_commit_seconds_bucket le={each}"] for each in (*BOUNDS_S, "+Inf")]
    assert buckets == [0, 2, 2, *[4] * (len(BOUNDS_S) - 2)]
    assert found["inqube_ingest_commit_seconds_count"] == 4
    assert found["inqube_ingest_commit_seconds_sum"] == 0.5


def test_it_counts_dead_samples_by_reason(client: Client, transactional_db: None) -> None:
    DeadTotal.objects.create(kind="mqtt", reason="bad_quality", samples=7)
    assert scrape(client)["inqube_dead_letters_total reason=bad_quality via=mqtt"] == 7


def test_it_says_how_each_ingest_process_is(client: Client, transactional_db: None) -> None:
    moment = now()
    for client_id, age_s, stopped_at in (("works", 1, None), ("silent", 60, None), ("stopped", 60, moment)):
        seen_at = moment - timedelta(seconds=age_s)
        IngestShard.objects.create(
            client_id=client_id, shard=1, of=1, host="a", pid=1, started_at=seen_at, seen_at=seen_at,
            contact_at=seen_at, stopped_at=stopped_at, unacknowledged=3, lag_s=0.5, standby_at=seen_at,
        )  # fmt: skip
    found = scrape(client)
    assert found["inqube_ingest_up client_id=works"] == found["inqube_ingest_connected client_id=works"] == 1
    assert found["inqube_ingest_lag_seconds client_id=works"] == 0.5
    assert found["inqube_ingest_unacknowledged client_id=works"] == 3
    assert (found["inqube_ingest_standby client_id=works"], found["inqube_ingest_standby client_id=silent"]) == (1, 0)
    assert found["inqube_ingest_up client_id=silent"] == found["inqube_ingest_connected client_id=silent"] == 0
    assert 60 < found["inqube_ingest_lag_seconds client_id=silent"] < 120
    assert not [name for name in found if "stopped" in name]


@pytest.mark.django_db(transaction=True)
def test_it_counts_open_alarms(client: Client, kandy: Plant) -> None:
    temp = Sensor.objects.get(slug="temp")
    whole = make_alarm(temp, severity="critical")
    for fields in ({"state": "acknowledged"}, {"state": "closed"}, {"held_under": whole}):
        make_alarm(temp, severity="critical", **fields)
    found = scrape(client)
    assert found["inqube_alarms_open severity=critical"] == 2
    assert found["inqube_alarms_unacknowledged severity=critical"] == 1
    assert found["inqube_alarms_open severity=low"] == 0


def test_it_says_how_upkeep_is(client: Client, transactional_db: None) -> None:
    with connection.cursor() as cursor:
        moment = datetime.now(UTC) - timedelta(seconds=400)
        cursor.execute("UPDATE rollup_state SET shown_to = %(at)s, mark_from = %(at)s", {"at": moment})
    found = scrape(client)
    assert 400 <= found["inqube_rollup_lag_seconds"] < 460
    assert found["inqube_database_size_bytes"] > 1_000_000
    assert (found["inqube_worker_up"], found["inqube_jobs_failed"], found["inqube_jobs_late"]) == (0, 0, 0)
    assert found["process_start_time_seconds"] > 0
    assert [name for name in found if name.startswith("inqube_build_info") and f"version={configured.VERSION}" in name]


def test_it_answers_without_the_database(
    client: Client, transactional_db: None, monkeypatch: pytest.MonkeyPatch, unreachable_port: int
) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", str(unreachable_port))
    found = scrape(client)
    assert found["inqube_database_up"] == 0
    assert found["inqube_live_clients"] == 0
    assert not [name for name in found if name.startswith("inqube_ingest")]


def test_it_does_not_wait_for_a_database_that_is_busy(
    client: Client, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.queries.metrics.LIMIT", "100ms")
    with connect() as database:
        database.execute("BEGIN; LOCK TABLE ledger_total")
        started = time.monotonic()
        assert scrape(client)["inqube_database_up"] == 0
        assert time.monotonic() - started < 5
    assert scrape(client)["inqube_database_up"] == 1


def test_it_speaks_openmetrics_when_asked(client: Client, transactional_db: None) -> None:
    response = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert response["Content-Type"].startswith("application/openmetrics-text")
    assert response.content.endswith(b"# EOF\n")


def test_it_is_of_the_version_that_the_project_says() -> None:
    project = tomllib.loads((configured.BASE_DIR / "pyproject.toml").read_text())["project"]
    assert project["version"] == configured.VERSION
