"""The system page: what needs an admin, and the facts below."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from telemetry.models import IngestEvent, IngestShard, LedgerEntry
from telemetry.queries.system import SHOWN_EVENTS, SHOWN_SOURCES, system
from telemetry.templatetags.system import rate_line, round_top

COUNTS = {"received": 120, "stored": 90, "duplicate": 20, "conflict": 6, "late": 30, "dead": 4}


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def shard(**fields: Any) -> IngestShard:
    moment = now()
    given = {"client_id": "one", "shard": 1, "of": 1, "host": "plant-pc", "pid": 17, "is_subscribed": True}
    times = dict.fromkeys(("started_at", "seen_at", "contact_at", "committed_at"), moment)
    return IngestShard.objects.create(**given | times | fields)


def entry(source: str, minutes: int = 3, **counts: int) -> None:
    minute = (now() - timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    LedgerEntry.objects.create(minute=minute, kind="mqtt", source=source, **COUNTS | counts)


def start_worker() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")


def titles() -> list[str]:
    return [trouble.title for trouble in system(now()).troubles]


def test_it_says_that_all_is_well(admin: Client) -> None:
    shard()
    start_worker()
    page = admin.get("/system/").content.decode()
    assert "Everything is as it should be." in page
    assert "ingest 1/1" in page
    assert "plant-pc" in page
    assert "Nothing was received in the last hour" in page


def test_it_says_what_does_not_run_and_how_to_start_it(admin: Client) -> None:
    page = admin.get("/system/").content.decode()
    assert "Ingest is not running." in page
    assert "manage.py procrastinate worker" in page


def test_it_tells_one_fault_of_a_shard_from_another(db: None) -> None:
    start_worker()
    long_ago = now() - timedelta(minutes=2)
    shard(client_id="silent", seen_at=long_ago)
    shard(client_id="cut", contact_at=long_ago)
    shard(client_id="slow", lag_s=30.0)
    assert sorted(titles()) == [
        "cut is not connected to the broker.",
        "silent is silent.",
        "slow waits for the database.",
    ]


def test_it_is_loud_about_a_ledger_that_does_not_add_up(admin: Client) -> None:
    shard()
    start_worker()
    entry("kandy/rolling/roller-2")
    assert titles() == []
    entry("kandy/mixing/mixer-1", stored=89)
    assert titles() == ["The ledger does not add up."]
    page = admin.get("/system/").content.decode()
    assert "data-loud" in page
    assert "no, in 1 minute" in page


def test_it_is_loud_for_a_day_about_a_ledger_that_did_not_add_up(db: None) -> None:
    shard()
    start_worker()
    for hours in (1, 30):
        IngestEvent.objects.all().delete()
        at = now() - timedelta(hours=hours)
        IngestEvent.objects.create(at=at, client_id="ledger", kind="ledger_broken", count=1, detail="")
        for _ in range(SHOWN_EVENTS):  # which push it out of the list
            IngestEvent.objects.create(at=now(), client_id="one", kind="took_over", detail="")
        assert titles() == (["The ledger does not add up."] if hours == 1 else [])


def test_it_shows_the_sources_that_send_most_and_sums_up_all(db: None) -> None:
    for number in range(SHOWN_SOURCES + 3):
        entry(f"kandy/line/machine-{number}", received=120 + number, stored=90 + number)
    entry("kandy/line/broken", received=7, stored=1, duplicate=0, conflict=0, late=0, dead=0)
    found = system(now()).sources
    assert found.shown[0].group["source"] == "kandy/line/broken"
    assert found.shown[1].group["source"] == f"kandy/line/machine-{SHOWN_SOURCES + 2}"
    assert (len(found.shown), found.others) == (SHOWN_SOURCES, 4)
    assert found.total.received == sum(120 + n for n in range(SHOWN_SOURCES + 3)) + 7


def test_it_gives_the_rate_of_the_minutes_that_are_complete(db: None) -> None:
    entry("kandy/rolling/roller-2", minutes=2, received=600, stored=600, duplicate=0, conflict=0, dead=0)
    entry("kandy/rolling/roller-2", minutes=0, received=600, stored=600, duplicate=0, conflict=0, dead=0)
    found = system(now())
    assert len(found.rates) == 60
    assert max(found.rates) == 10
    assert sum(found.rates) in (10, 20)  # a minute may end meanwhile
    assert found.rate in (2, 4)


def test_it_shows_how_jobs_ended_and_what_ingest_noticed(admin: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, status) VALUES ('latest', 'default', 'failed')"
        )
    IngestEvent.objects.create(at=now(), client_id="one", kind="broker_dropped", count=1234, detail="Find out why.")
    page = admin.get("/system/state").content.decode()
    assert "Jobs failed: latest." in page
    assert "Broker dropped messages" in page
    assert "1\u202f234" in page


def test_it_takes_as_many_queries_however_much_there_is(admin: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(12):  # two of them for session and user
        admin.get("/system/state")
    for number in range(20):
        shard(client_id=f"shard-{number}", shard=number, of=20)
        entry(f"kandy/line/machine-{number}")
        IngestEvent.objects.create(at=now(), client_id="one", kind="took_over", detail="")
    with django_assert_num_queries(12):
        admin.get("/system/state")


@pytest.mark.parametrize(("most", "top"), [(0, 1), (0.4, 1), (1.2, 2), (10, 10), (11, 20), (299, 300), (320, 500)])
def test_it_draws_up_to_a_round_number(most: float, top: float) -> None:
    assert round_top(most) == top


def test_it_draws_from_the_bottom_to_the_top() -> None:
    assert rate_line([0.0, 10.0, 5.0]) == ("0,100.0 1,0.0 2,50.0", 2, 10.0)
