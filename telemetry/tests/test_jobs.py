"""Jobs run by real workers: when they are due, one of a kind at a time, again after a failure or a worker's death."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.utils.timezone import now
from procrastinate.contrib.django import app

from conftest import Manage
from telemetry.maintenance import STEPS, connect
from telemetry.storage.rollups import REFRESH_LOCK
from telemetry.tests.storage.past import clear

LIMIT_S = 40
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> ALL(%s)
"""
ALL = {*STEPS, "rescue", "old_jobs"}


@pytest.fixture
def database(transactional_db: None) -> Iterator[psycopg.Connection]:
    with connect() as connection:
        clear(connection)
        yield connection


def until(look: Callable[[], Any], worker: subprocess.Popen[bytes]) -> Any:
    deadline = time.monotonic() + LIMIT_S
    while not (found := look()):
        log = worker.log.read_text()  # type: ignore[attr-defined]
        assert time.monotonic() < deadline, f"it did not happen in time; the worker said:\n{log}"
        time.sleep(0.05)
    return found


def count(database: psycopg.Connection, name: str, status: str) -> int:
    query = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND status = %s::procrastinate_job_status"
    row = database.execute(query, [name, status]).fetchone()
    assert row is not None
    return int(row[0])


def all_succeeded(database: psycopg.Connection) -> bool:
    return all(count(database, name, "succeeded") for name in ALL - {"alarms"})  # which goes on


def said(worker: subprocess.Popen[bytes], *words: str) -> list[str]:
    """The lines of a worker's log with all these words."""
    lines = worker.log.read_text().splitlines()  # type: ignore[attr-defined]
    return [line for line in lines if all(word in line for word in words)]


def test_it_runs_what_was_due_logs_each_once_and_ends_on_sigterm(manage: Manage, database: psycopg.Connection) -> None:
    worker = manage("procrastinate", "worker")
    until(lambda: all_succeeded(database), worker)
    days = database.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'reading'::regclass").fetchone()
    assert days == (8,)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(LIMIT_S) == 0
    assert count(database, "alarms", "succeeded") >= 1  # the one that goes on ends with its worker
    for name in ALL - {"rollups", "ledger", "adoption", "alarms"}:  # which may have been due twice, at two minutes
        assert len(said(worker, name)) == len(said(worker, "job done", "inqube.jobs", f"job={name} ", "seconds=")) == 1


def test_it_runs_one_of_a_kind_at_a_time_however_many_workers(manage: Manage, database: psycopg.Connection) -> None:
    with connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE latest")
        workers = [manage("procrastinate", "worker") for _ in range(2)]
        until(lambda: count(database, "latest", "doing") and count(database, "partitions", "succeeded"), workers[0])
        app.configure_task("latest").defer(timestamp=0)
        app.configure_task("partitions").defer(timestamp=0)  # deferred after it, and done before it
        until(lambda: count(database, "partitions", "succeeded") == 2, workers[0])
        assert (count(database, "latest", "doing"), count(database, "latest", "todo")) == (1, 1)
    until(lambda: count(database, "latest", "succeeded") == 2, workers[0])
    assert count(database, "retention", "succeeded") == 1  # both workers knew that it was due


def test_it_stops_a_job_that_lasts_when_the_worker_is_to_end(manage: Manage, database: psycopg.Connection) -> None:
    with connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE latest")
        worker = manage("procrastinate", "worker")
        until(lambda: count(database, "latest", "doing"), worker)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(LIMIT_S) == 0
        left = database.execute("SELECT FROM pg_locks WHERE relation = 'latest'::regclass AND NOT granted")
        assert left.rowcount == 0
    assert said(worker, "job stopped", "job=latest")
    assert count(database, "latest", "todo") == 1  # for the next worker


def test_it_rescues_the_jobs_of_workers_that_died(manage: Manage, database: psycopg.Connection) -> None:
    with connect() as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE latest")
        killed = manage("procrastinate", "worker")
        until(lambda: count(database, "latest", "doing"), killed)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    database.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    database.execute("DELETE FROM procrastinate_jobs WHERE task_name <> 'latest'")
    for status in ("doing", "todo"):  # where the next of its kind waits already, that one is enough
        database.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, lock, queueing_lock, status, args) VALUES "
            "('partitions', 'default', 'partitions', 'partitions', %s, '{\"timestamp\": 0}')",
            [status],
        )
    app.configure_task("rescue").defer(timestamp=0)
    worker = manage("procrastinate", "worker")
    until(lambda: count(database, "latest", "succeeded") and count(database, "partitions", "succeeded"), worker)
    assert count(database, "partitions", "aborted") == 1
    assert said(worker, "job=rescue", "latest", "partitions")


def test_it_tries_again_what_has_failed(manage: Manage, database: psycopg.Connection) -> None:
    database.execute("ALTER TABLE latest RENAME TO latest_away")
    try:
        worker = manage("procrastinate", "worker")
        until(lambda: said(worker, "job failed", "job=latest", "attempt=1"), worker)
        until(lambda: count(database, "latest", "todo"), worker)
    finally:
        database.execute("ALTER TABLE latest_away RENAME TO latest")
    row = database.execute("SELECT attempts, scheduled_at > now() FROM procrastinate_jobs WHERE task_name = 'latest'")
    assert row.fetchone() == (1, True)


def test_it_goes_on_after_the_database_ended_its_connections(manage: Manage, database: psycopg.Connection) -> None:
    """It may end, and is to be started again whatever it ended with, as the demo's supervisor does."""
    others = [pid for (pid,) in database.execute("SELECT pid FROM pg_stat_activity")]
    worker = manage("procrastinate", "worker")
    until(lambda: all_succeeded(database), worker)
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> ALL(%s)",
        [others],
    )
    app.configure_task("partitions").defer(timestamp=0)
    until(lambda: worker.poll() is not None or count(database, "partitions", "succeeded") == 2, worker)
    if worker.poll() is not None:
        worker = manage("procrastinate", "worker")
    until(lambda: count(database, "partitions", "succeeded") == 2, worker)


def test_it_leaves_a_refresh_alone_that_runs_elsewhere(database: psycopg.Connection) -> None:
    with connect() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [REFRESH_LOCK])
        assert STEPS["rollups"](database, now()) == {"skipped": "another refresh is running"}
