"""The worker's jobs: `manage.py procrastinate worker` defers them when they are due, and runs each one at a time.

Two workers share them: a job is deferred once for each time that it is due, `lock` lets only one of its kind run, and
`queueing_lock` only one wait, so that what is late is not done twice. What a job does is in maintenance.py.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import structlog
from django.conf import settings
from django.db import OperationalError, connection
from django.utils.timezone import now
from procrastinate import BaseRetryStrategy, JobContext, RetryStrategy, builtin_tasks
from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status
from procrastinate.worker import Worker
from psycopg import Connection

from alarms.notifications.deliver import DeliveryFailedError, deliver
from alarms.notifications.plan import plan
from alarms.watch import watch
from plants import broker_sync
from plants.dynamic_security import BrokerError
from telemetry.maintenance import STEPS, Facts, Step, connect
from telemetry.storage.retention import BusyError

# Cron, UTC. The daily ones come after midnight of UTC, when a day more may be dropped, and in the order of STEPS.
SCHEDULE = {
    "partitions": "10 0 * * *",
    "rollups": "* * * * *",  # rollups.REFRESH_EVERY_S
    "ledger": "* * * * *",
    "retention": "20 0 * * *",
    "compression": "40 0 * * *",
    "latest": "10 1 * * *",
    "adoption": "* * * * *",  # and at once where ingest defers it (ingest/quarantine.py)
}
AGAIN = RetryStrategy(max_attempts=6, wait=60, linear_wait=300)  # over an hour and a half
# The next minute is the retry; and a job that waits to be retried would keep its successors from being deferred.
RETRIES: dict[str, BaseRetryStrategy | bool] = {"rollups": False, "ledger": False, "adoption": False}

KEEP_HOURS = 72  # for people to look at; a job a minute is 1,440 rows a day
CANCEL_EVERY_S = 0.5

Result = TypeVar("Result")

EXPECTED = (psycopg.OperationalError, OperationalError, BusyError, BrokerError, DeliveryFailedError)

# Seven tries: after 4 s, 16 s, 1 min, 4 min, 17 min and 68 min.
NOTIFY_AGAIN = RetryStrategy(max_attempts=6, exponential_wait=4)
# Threads of their own: servers that hang must not keep other jobs' work from beginning. What finds none free waits as a
# job that has begun, for which settings.PROCRASTINATE_WORKER_DEFAULTS has room.
MESSENGERS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="messenger")

log = structlog.get_logger("inqube.jobs")


async def log_job(call_next: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker) -> Any:
    """Task middleware: one line a job, when it has ended; procrastinate's own lines are off (settings.LOGGING)."""
    started = time.monotonic()
    about = {"job": context.job.task_name, "id": context.job.id, "attempt": context.job.attempts + 1}
    try:
        facts = await call_next()
    except asyncio.CancelledError:
        log.warning("job stopped", **about, seconds=_since(started))
        raise
    except Exception as error:
        log.error("job failed", **about, seconds=_since(started), error=str(error).strip(), exc_info=is_fault(error))
        raise
    log.info("job done", **about, seconds=_since(started), **(facts or {}))
    return facts


def is_fault(error: Exception) -> bool:
    """Whether a traceback would help: not where a server is away or others are busy with it."""
    return not isinstance(error, EXPECTED)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


async def run(step: Step) -> Facts:
    """The step on a connection of its own, in a thread; when the job is to stop, so does its statement."""
    connection = await asyncio.to_thread(connect)
    work = asyncio.ensure_future(asyncio.to_thread(_work, step, connection))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await _stop(work, connection)
        raise
    finally:
        await asyncio.to_thread(connection.close)


def _work(step: Step, on: Connection) -> Facts:
    try:
        return step(on, now())
    finally:
        connection.close()  # Django's, which a step may have used: this thread's


async def _stop(work: "asyncio.Future[Facts]", connection: Connection) -> None:
    """Cancels statement after statement, for between two of them there is nothing to cancel."""
    while not work.done():
        await asyncio.to_thread(_cancel, connection)
        await asyncio.wait({work}, timeout=CANCEL_EVERY_S)
    work.exception()  # it has been stopped; how it put it is of no interest


def _cancel(connection: Connection) -> None:
    try:
        connection.cancel_safe(timeout=CANCEL_EVERY_S)
    except psycopg.Error:
        connection.close()  # the server is away: then the statement ends with the connection


def register(name: str, step: Step) -> None:
    """Makes a periodic task of a step."""

    async def task(timestamp: int) -> Facts:
        return await run(step)

    retry = RETRIES.get(name, AGAIN)
    declared = app.task(name=name, lock=name, queueing_lock=name, retry=retry, task_middleware=[log_job])(task)
    app.periodic(cron=SCHEDULE[name])(declared)


for _name in SCHEDULE:
    register(_name, STEPS[_name])


WATCH_S = 60.0  # then the next job of the kind goes on
ENDING = threading.Event()  # the worker is about to end (telemetry/worker.py), and waits for jobs that run


@app.periodic(cron="* * * * *")
@app.task(name="alarms", lock="alarms", queueing_lock="alarms", task_middleware=[log_job])
async def alarms(timestamp: int) -> Facts:
    """Looks once a second for what no reading brings (alarms/watch); the next minute is the retry."""
    return await run(lambda connection, now: watch(connection, timestamp + WATCH_S, ENDING))


@app.task(name="notify", retry=NOTIFY_AGAIN, task_middleware=[log_job])
async def notify(events: list[int]) -> Facts:
    """Plans who is told of what happened to alarms (alarms/notifications); deferred with the events."""
    return {"deliveries": await asyncio.to_thread(_closing, lambda: plan(events))}


@app.task(name="deliver", retry=NOTIFY_AGAIN, pass_context=True, task_middleware=[log_job])
async def deliver_one(context: JobContext, delivery: str) -> Facts:
    """Sends a message about an alarm, if it is still called for at its time."""
    is_last = context.job.attempts >= (NOTIFY_AGAIN.max_attempts or 0)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(MESSENGERS, _closing, lambda: deliver(UUID(delivery), is_last))


def _closing(work: Callable[[], Result]) -> Result:
    try:
        return work()
    finally:
        connection.close()  # this thread's


@app.task(name=broker_sync.JOB, lock=broker_sync.JOB, task_middleware=[log_job])
async def devices(timestamp: int = 0) -> Facts:
    """Accounts on the broker. The database defers it too, when devices change; the next minute is the retry."""
    return await asyncio.to_thread(_sync_devices) if settings.MQTT_ADMIN_URL else {"broker": "not managed"}


def _sync_devices() -> Facts:
    try:
        return broker_sync.sync().facts()
    finally:
        connection.close()  # this thread's


if settings.MQTT_ADMIN_URL:
    app.periodic(cron="* * * * *")(devices)


@app.periodic(cron="*/5 * * * *")
@app.task(name="rescue", queueing_lock="rescue", pass_context=True, task_middleware=[log_job])
async def rescue(context: JobContext, timestamp: int) -> Facts:
    """Lets jobs go on whose worker died: they would keep their locks for ever, and no job of their kind would run."""
    manager = context.app.job_manager
    rescued = []
    for job in await manager.get_stalled_jobs():
        try:
            await manager.retry_job(job)
        except UniqueViolation:  # the next of its kind waits already and does the same
            await manager.finish_job(job, Status.ABORTED, delete_job=False)
        rescued.append(job.task_name)
    return {"rescued": rescued}


@app.periodic(cron="40 1 * * *")
@app.task(name="old_jobs", lock="old_jobs", queueing_lock="old_jobs", pass_context=True, task_middleware=[log_job])
async def old_jobs(context: JobContext, timestamp: int) -> None:
    """Forgets jobs that ended some days ago."""
    await builtin_tasks.remove_old_jobs(
        context, max_hours=KEEP_HOURS, remove_failed=True, remove_cancelled=True, remove_aborted=True
    )
