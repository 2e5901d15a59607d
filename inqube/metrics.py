"""`/metrics`: what Prometheus collects. docs/metrics.md says what each number means.

Counters are in the database, so that they go on when a process is started anew; of live sockets each web process knows
its own.
"""

import asyncio
import platform
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

import django
import psycopg
import structlog
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from alarms.models import WORST_FIRST
from inqube import request_metrics
from inqube.api.problems import problem_outside_views
from telemetry.ingest.counters import BOUNDS_S
from telemetry.live.guard import get_guard
from telemetry.live.hub import get_hub
from telemetry.probes.access import REFUSAL, may_scrape
from telemetry.probes.checks import connect
from telemetry.probes.measures import Vitals
from telemetry.queries.metrics import Alarms, Facts, read

LIMIT_S = 5.0  # for the database; Prometheus gives a target ten seconds by default
RESULTS = ("stored", "duplicate", "conflict", "late", "dead")
FRAMES = ("sent", "merged", "dropped")

log = structlog.get_logger("inqube.metrics")
vitals = Vitals()


class Live(NamedTuple):
    """Of this process."""

    clients: int
    frames: Mapping[str, int]


class Snapshot(Collector):
    """The metrics of one scrape; those of the database are missing while it is away."""

    def __init__(self, facts: Facts | None, live: Live) -> None:
        self._facts = facts
        self._live = live

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "inqube_build",
            "Versions of what runs here.",
            {"version": settings.VERSION, "django": django.__version__, "python": platform.python_version()},
        )
        yield GaugeMetricFamily("inqube_database_up", "1 if the database answered in time.", self._facts is not None)
        yield from _live(self._live)
        yield from _pool()
        if self._facts is not None:
            yield from _ingest(self._facts)
            yield from _processes(self._facts)
            yield from _alarms(self._facts)
            yield from _upkeep(self._facts)


def _live(live: Live) -> Iterator[Metric]:
    yield GaugeMetricFamily("inqube_live_clients", "Sockets signed in to this web process.", live.clients)
    frames = CounterMetricFamily("inqube_live_frames", "Frames of the live feed in this process.", labels=["result"])
    for result in FRAMES:
        frames.add_metric([result], live.frames.get(result, 0))
    yield frames


def _pool() -> Iterator[Metric]:
    """Of the pool from which requests have their connections."""
    pool = connections["default"].pool  # type: ignore[attr-defined]  # of PostgreSQL's wrapper
    found = pool.get_stats() if pool is not None else {}
    size, idle = found.get("pool_size", 0), found.get("pool_available", 0)
    in_pool = GaugeMetricFamily("inqube_database_pool_connections", "Connections of the pool.", labels=["state"])
    in_pool.add_metric(["used"], size - idle)
    in_pool.add_metric(["idle"], idle)
    yield in_pool
    yield GaugeMetricFamily("inqube_database_pool_limit", "Connections that it may have.", found.get("pool_max", 0))
    yield GaugeMetricFamily(
        "inqube_database_pool_waiting", "Requests that wait for one.", found.get("requests_waiting", 0)
    )
    yield CounterMetricFamily(
        "inqube_database_pool_wait_seconds", "Time spent waiting for one.", found.get("requests_wait_ms", 0) / 1000
    )
    yield CounterMetricFamily(
        "inqube_database_pool_timeouts", "Requests that waited in vain.", found.get("requests_errors", 0)
    )


def _ingest(facts: Facts) -> Iterator[Metric]:
    messages = CounterMetricFamily("inqube_ingest_messages", "Messages of the broker, committed.", labels=["result"])
    messages.add_metric(["accepted"], facts.messages - facts.rejected)
    messages.add_metric(["rejected"], facts.rejected)
    yield messages
    readings = CounterMetricFamily(
        "inqube_ingest_readings", "Samples by what became of them; late ones are stored too.", labels=["result", "via"]
    )
    for kind, counts in sorted(facts.readings.items()):
        for result in RESULTS:
            readings.add_metric([result, kind], counts[result])
    yield readings
    dead = CounterMetricFamily("inqube_dead_letters", "Samples that are dead.", labels=["reason", "via"])
    for (kind, reason), samples in sorted(facts.dead.items()):
        dead.add_metric([reason, kind], samples)
    yield dead
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    yield HistogramMetricFamily(
        "inqube_ingest_commit_seconds",
        "From the first try to write a batch to its commit.",
        list(zip(bounds, accumulate(facts.commits), strict=True)),
        facts.commit_s,
    )
    yield CounterMetricFamily("inqube_broker_dropped", "Messages the broker threw away.", facts.dropped)
    yield CounterMetricFamily("inqube_ledger_broken", "Minutes of sources that do not add up.", facts.ledger_broken)


def _processes(facts: Facts) -> Iterator[Metric]:
    gauges = {
        name: GaugeMetricFamily(f"inqube_ingest_{name}", words, labels=["client_id"])
        for name, words in {
            "up": "1 while a process works for the session.",
            "connected": "1 while it is connected to the broker.",
            "unacknowledged": "Messages received and not acknowledged.",
            "lag_seconds": "How long a message waited for its commit, at most, of late.",
            "standby": "1 while another process stands by for the session.",
            "committed_timestamp_seconds": "When it last committed a batch.",
        }.items()
    }
    for process in facts.processes:
        gauges["up"].add_metric([process.client_id], process.runs)
        gauges["connected"].add_metric([process.client_id], process.is_connected)
        gauges["unacknowledged"].add_metric([process.client_id], process.unacknowledged)
        gauges["lag_seconds"].add_metric([process.client_id], process.lag_s)
        gauges["standby"].add_metric([process.client_id], process.has_standby)
        if process.committed_at is not None:
            gauges["committed_timestamp_seconds"].add_metric([process.client_id], process.committed_at.timestamp())
    yield from gauges.values()


def _alarms(facts: Facts) -> Iterator[Metric]:
    alarms = GaugeMetricFamily("inqube_alarms_open", "Alarms that are not closed.", labels=["severity"])
    waiting = GaugeMetricFamily(
        "inqube_alarms_unacknowledged", "Those of them that nobody has acknowledged.", labels=["severity"]
    )
    for severity in WORST_FIRST:
        counted = facts.alarms.get(severity, Alarms(0, 0))
        alarms.add_metric([severity], counted.open)
        waiting.add_metric([severity], counted.unacknowledged)
    yield alarms
    yield waiting


def _upkeep(facts: Facts) -> Iterator[Metric]:
    has_worker = facts.jobs.has_worker(now())
    yield GaugeMetricFamily("inqube_worker_up", "1 while a worker is heard of.", has_worker)
    yield GaugeMetricFamily("inqube_jobs_failed", "Kinds of jobs whose last run failed.", len(facts.jobs.failed))
    yield GaugeMetricFamily("inqube_jobs_late", "Kinds of jobs that should have begun.", len(facts.jobs.late))
    yield GaugeMetricFamily("inqube_rollup_lag_seconds", "Age of the newest stored rollup.", facts.rollup_lag_s)
    yield GaugeMetricFamily("inqube_dead_letters_waiting", "New ones, up to 10,000.", facts.letters_waiting)
    yield GaugeMetricFamily("inqube_database_size_bytes", "Of the whole database on disk.", facts.database_bytes)


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    if not may_scrape(request.META.get("REMOTE_ADDR", ""), request.headers):
        return problem_outside_views(request, 403, REFUSAL)
    vitals.follow_loop_once()
    registry = CollectorRegistry()
    for kept in (vitals.registry, request_metrics.registry):
        registry.register(kept)
    # In the event loop of the sockets, which is why this view is asynchronous.
    live = Live(get_guard().sockets, get_hub().frames)
    registry.register(Snapshot(await database(), live))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type, headers={"Cache-Control": "no-store"})


async def database() -> Facts | None:
    """None where the database does not answer in time, or not as migrations left it."""
    try:
        async with asyncio.timeout(LIMIT_S), await connect() as connection:
            return await read(connection, now())
    except (TimeoutError, psycopg.Error, OSError) as error:
        log.warning("metrics without the database", error=str(error).strip() or type(error).__name__)
        return None
