"""How a worker is: whether it has been heard of, and what its jobs came to."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from django.utils.timezone import now
from procrastinate import JobContext
from procrastinate.worker import Worker
from prometheus_client import Counter, Gauge, Histogram
from psycopg import AsyncConnection

from telemetry.probes.checks import Check, ask, ask_database, ask_migrations
from telemetry.probes.measures import Vitals
from telemetry.probes.others import ask_worker
from telemetry.probes.port import Process
from telemetry.queries.jobs import ALIVE

JOB_BOUNDS_S = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)
HEARD = "SELECT last_heartbeat FROM procrastinate_workers WHERE id = %s"


class JobTally:
    """Counts jobs of a worker as they end; its name for itself comes with the first."""

    def __init__(self) -> None:
        self.vitals = Vitals()
        self.worker_id: int | None = None
        registry = self.vitals.registry
        self._ended = Counter("inqube_jobs", "Jobs by how they ended.", ["job", "result"], registry=registry)
        self._took = Histogram(
            "inqube_job_seconds", "How long jobs took.", ["job"], buckets=JOB_BOUNDS_S, registry=registry
        )
        self._running = Gauge("inqube_jobs_running", "Jobs that run now.", registry=registry)

    async def count(self, call_next: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker) -> Any:
        """Worker middleware."""
        self.worker_id = worker.worker_id
        job = context.job.task_name if context.job.task_name in context.app.tasks else "unknown"
        started = time.monotonic()
        result = "failed"
        self._running.inc()
        try:
            answer = await call_next()
            result = "done"
            return answer
        except asyncio.CancelledError:
            result = "stopped"
            raise
        finally:
            self._running.dec()
            self._ended.labels(job, result).inc()
            self._took.labels(job).observe(time.monotonic() - started)


def probed(tally: JobTally) -> Process:
    async def checks() -> dict[str, Check]:
        return await ask(
            {
                "database": ask_database,
                "migrations": ask_migrations,
                "heartbeat": lambda connection: heartbeat(connection, tally.worker_id),
                "jobs": ask_worker,
            }
        )

    return Process("worker", Check, checks, tally.vitals)


async def heartbeat(connection: AsyncConnection, worker_id: int | None) -> Check:
    """Whether the worker still says every ten seconds that it is there; before its first job, of its start only."""
    if worker_id is None:
        return Check(facts={"age_s": None})
    row = await (await connection.execute(HEARD, [worker_id])).fetchone()
    if row is None:
        return Check("others have given this worker up", facts={"age_s": None})
    silent = now() - row[0]
    status = "ok" if silent < ALIVE else "this worker was not heard of for a while"
    return Check(status, facts={"age_s": round(silent.total_seconds(), 1)})
