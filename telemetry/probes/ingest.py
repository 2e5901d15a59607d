"""How an ingest process is: whether it leads or stands by, and what it has in hand."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from telemetry.ingest.counters import BATCH_BOUNDS, Tally
from telemetry.ingest.pipeline import Pipeline
from telemetry.ingest.process import Life
from telemetry.probes.checks import Check, ask, ask_database, ask_migrations
from telemetry.probes.measures import Vitals
from telemetry.probes.port import Process

# An attempt to store that hangs is given up by the network's own limits (storage.DEAD_NETWORK) and tried again, within
# a minute or two. Longer than this the process itself is at fault, or a lock that a new process waits for as well.
STUCK_S = 300.0
BEHIND_S = 10.0
DIRECTORY_OLD_S = 120.0  # read anew every half a minute

QUESTIONS = {"database": ask_database, "migrations": ask_migrations}


def probed(life: Life, tally: Tally) -> Process:
    vitals = Vitals()
    vitals.registry.register(_Metrics(life, tally))

    async def checks() -> dict[str, Check]:
        return await ask(QUESTIONS) | own(life.pipeline, datetime.now(UTC))

    return Process("ingest", lambda: alive(life.pipeline), checks, vitals)


def alive(pipeline: Pipeline | None) -> Check:
    """Fatal where only a new process may help: a database or a broker that is away is waited for."""
    if pipeline is not None and pipeline.stuck_s > STUCK_S:
        return Check(f"stuck: nothing came of storing a batch for {pipeline.stuck_s:.0f} s")
    return Check()


def own(pipeline: Pipeline | None, now: datetime) -> dict[str, Check]:
    """What the process knows of itself, without asking anybody."""
    if pipeline is None:  # ready to take over, which is all that is asked of a standby
        return {"role": Check(facts={"role": "standby"})}
    receiver = pipeline.receiver
    if not receiver.is_connected:
        broker = Check("not connected")
    elif not receiver.is_subscribed:
        broker = Check("not subscribed to all plants yet")
    else:
        broker = Check()
    return {
        "role": Check(facts={"role": "leader"}),
        "broker": broker,
        "commit": _commit(pipeline, now),
        "directory": _directory(pipeline),
    }


def _commit(pipeline: Pipeline, now: datetime) -> Check:
    """Only told: a process that is behind does its work, and nobody else would do it sooner."""
    waiting_s = pipeline.waiting_s
    facts = {
        "age_s": None if pipeline.committed_at is None else round((now - pipeline.committed_at).total_seconds(), 1),
        "waiting_s": round(waiting_s, 1),
        "unacknowledged": pipeline.receiver.unacknowledged,
    }
    status = "ok" if waiting_s < BEHIND_S else f"a message has waited {waiting_s:.0f} s for its commit"
    return Check(status, is_fatal=False, facts=facts)


def _directory(pipeline: Pipeline) -> Check:
    """Only told: with an old one readings of new sensors are quarantined, and those of all others are stored."""
    age_s = _directory_age_s(pipeline)
    status = "ok" if age_s is not None and age_s < DIRECTORY_OLD_S else "sensors were not read for a while"
    return Check(status, is_fatal=False, facts={"age_s": None if age_s is None else round(age_s, 1)})


def _directory_age_s(pipeline: Pipeline) -> float | None:
    read_at = pipeline.directory_read_at
    return None if read_at is None else time.monotonic() - read_at


class _Metrics(Collector):
    """Counters are of the process, through all times that it leads; gauges are there while it does."""

    def __init__(self, life: Life, tally: Tally) -> None:
        self._life = life
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        tally = self._tally
        yield CounterMetricFamily(
            "inqube_ingest_received_messages", "Messages from the broker, also those that came again.", tally.messages
        )
        yield CounterMetricFamily(
            "inqube_ingest_connections", "Connections that the broker has let in.", tally.connections
        )
        yield CounterMetricFamily(
            "inqube_ingest_failed_writes",
            "Attempts to store a batch that failed, and were repeated.",
            tally.failed_writes,
        )
        stages = CounterMetricFamily(
            "inqube_ingest_stage_seconds", "Time spent in each part of the path.", labels=["stage"]
        )
        stages.add_metric(["intake"], tally.intake_s)
        stages.add_metric(["store"], tally.store_s)
        yield stages
        batches = HistogramMetricFamily("inqube_ingest_batch_readings", "Readings in a committed batch.")
        bounds = [*(f"{bound:.1f}" for bound in BATCH_BOUNDS), "+Inf"]
        batches.add_metric([], list(zip(bounds, accumulate(tally.batches), strict=True)), tally.readings)
        yield batches
        pipeline = self._life.pipeline
        yield GaugeMetricFamily("inqube_ingest_leads", "1 while it works, 0 while it stands by.", pipeline is not None)
        if pipeline is not None:
            yield from _gauges(pipeline)


def _gauges(pipeline: Pipeline) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "inqube_ingest_batch_messages", "Messages in the batch that gathers.", pipeline.intake.batch.messages
    )
    yield GaugeMetricFamily(
        "inqube_ingest_waiting_bytes", "Of messages for which the batch has no room.", pipeline.intake.waiting_bytes
    )
    yield GaugeMetricFamily(
        "inqube_ingest_waiting_seconds", "How long the oldest uncommitted message has waited.", pipeline.waiting_s
    )
    yield GaugeMetricFamily(
        "inqube_ingest_directory_sensors", "Sensors that are known.", len(pipeline.intake.directory.sensors)
    )
    age_s = _directory_age_s(pipeline)
    if age_s is not None:
        yield GaugeMetricFamily("inqube_ingest_directory_age_seconds", "Since sensors were last read.", age_s)
