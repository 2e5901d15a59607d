"""Jobs in the admin: admins see them and what became of them, and try them again."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils.timezone import now
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from telemetry.queries.jobs import jobs

LIST = "/admin/procrastinate/procrastinatejob/"
Job = Callable[..., int]


@pytest.fixture
def job(db: None) -> Job:
    """`job("latest", "failed", age_s=0)`: a job that was deferred so long ago; its id."""

    def make(name: str, status: str, age_s: float = 0) -> int:
        at = now() - timedelta(seconds=age_s)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_jobs (task_name, queue_name, args) "
                "VALUES (%s, 'default', '{\"timestamp\": 0}') RETURNING id",
                [name],
            )
            (number,) = cursor.fetchone()
            cursor.execute("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", [status, number])
            cursor.execute("UPDATE procrastinate_events SET at = %s WHERE job_id = %s", [at, number])
        return int(number)

    return make


def heartbeat(age_s: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [now() - timedelta(0, age_s)])


def test_it_lists_jobs_with_their_state_and_nothing_inline(client: Client, alice: User, job: Job) -> None:
    number = job("retention", "failed")
    client.force_login(alice)
    page = client.get(LIST).content.decode()
    assert "retention" in page
    assert "failed" in page
    detail = client.get(f"{LIST}{number}/change/").content.decode()
    assert "deferred" in detail
    for each in (page, detail):
        assert 'style="' not in each
        assert "<style" not in each


def test_it_tries_a_failed_job_again(client: Client, alice: User, job: Job) -> None:
    number = job("latest", "failed")
    client.force_login(alice)
    client.post(LIST, {"action": "retry", "_selected_action": [number]})
    assert ProcrastinateJob.objects.get(pk=number).status == "todo"


def test_it_takes_as_many_queries_for_many_jobs_as_for_few(
    client: Client, alice: User, job: Job, django_assert_max_num_queries: Callable[..., object]
) -> None:
    client.force_login(alice)
    job("latest", "succeeded")
    with django_assert_max_num_queries(20) as few:  # type: ignore[attr-defined]
        client.get(LIST)
    for _ in range(20):
        job("latest", "succeeded")
    with django_assert_max_num_queries(len(few)):  # type: ignore[attr-defined]
        client.get(LIST)


def test_it_knows_what_failed_last(job: Job) -> None:
    job("latest", "failed")
    job("retention", "failed")
    job("retention", "succeeded")
    assert jobs(now()).failed == ["latest"]


def test_it_knows_what_waits_for_too_long(job: Job) -> None:
    job("latest", "todo", age_s=400)
    job("rollups", "todo", age_s=20)
    assert jobs(now()).late == ["latest"]


@pytest.mark.parametrize(("age_s", "runs"), [(5, True), (90, False)])
def test_it_knows_whether_a_worker_runs(db: None, age_s: float, runs: bool) -> None:
    assert not jobs(now()).has_worker(now())
    heartbeat(age_s)
    assert jobs(now()).has_worker(now()) is runs
