"""How the installation is, for the system page; as many queries however many rows there are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from telemetry.models import DeadLetter, DiscoveredSensor, IngestEvent, IngestShard, IngestTotal
from telemetry.queries import ledger
from telemetry.queries.database import database
from telemetry.queries.jobs import Jobs, jobs
from telemetry.queries.ledger import Line

LEDGER_SPAN = timedelta(hours=1)
RATE_MINUTES = 5
RECENT = timedelta(days=1)  # of what ingest noticed, and nobody need look at for longer
SHOWN_EVENTS = 6
SHOWN_SOURCES = 12
COUNTED = 1000  # of what waits, which nobody reads further
LAGS_FROM_S = 10.0

STORAGE = "SELECT pg_database_size(current_database()), (SELECT shown_to FROM rollup_state)"
LAST_RUNS = """
SELECT DISTINCT ON (task_name) task_name, status::text,
       (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id AND type::text = status::text)
FROM procrastinate_jobs AS job WHERE status IN ('succeeded', 'failed') ORDER BY task_name, id DESC
"""


class Trouble(NamedTuple):
    """What needs a person: what is so, what that means, what to do about it."""

    title: str
    detail: str
    command: str = ""
    is_loud: bool = False


class Run(NamedTuple):
    """The last run of a kind of job that has ended."""

    job: str
    status: str
    at: datetime | None


class Sources(NamedTuple):
    """The last hour by source: those that do not add up, then those that sent most; the rest in one line."""

    shown: list[Line]
    others: int
    total: Line


@dataclass(frozen=True, slots=True)
class System:
    shards: list[IngestShard]
    rates: list[float]  # readings stored a second, by minute of the last hour that is complete, oldest first
    sources: Sources
    events: list[IngestEvent]  # the newest of the last day
    noticed: set[str]  # kinds of all events of the last day
    dropped: int
    jobs: Jobs
    runs: list[Run]
    database: str
    database_bytes: int
    shown_to: datetime
    letters: int  # COUNTED at most, and discovered
    discovered: int
    now: datetime

    @property
    def rate(self) -> float:
        return sum(self.rates[-RATE_MINUTES:]) / RATE_MINUTES

    @property
    def lag_s(self) -> float:
        return max((shard.lag_s for shard in self.shards if shard.runs(self.now)), default=0.0)

    @property
    def unacknowledged(self) -> int:
        return sum(shard.unacknowledged for shard in self.shards if shard.runs(self.now))

    @property
    def standing_by(self) -> list[IngestShard]:
        return [shard for shard in self.shards if shard.has_standby(self.now)]

    @property
    def silent(self) -> list[IngestShard]:
        return [shard for shard in self.shards if not shard.runs(self.now)]

    @property
    def connected(self) -> list[IngestShard]:
        return [shard for shard in self.shards if shard.is_connected(self.now)]

    @property
    def highest_rate(self) -> float:
        return max(self.rates)

    @property
    def committed_at(self) -> datetime | None:
        return max((shard.committed_at for shard in self.shards if shard.committed_at), default=None)

    @property
    def has_worker(self) -> bool:
        return self.jobs.has_worker(self.now)

    @property
    def troubles(self) -> list[Trouble]:
        return [trouble for ask in TROUBLES for trouble in ask(self)]


def system(now: datetime) -> System:
    with connection.cursor() as cursor:
        cursor.execute(STORAGE)
        database_bytes, shown_to = cursor.fetchone()
        cursor.execute(LAST_RUNS)
        runs = [Run(*row) for row in cursor.fetchall()]
    recent = IngestEvent.objects.filter(at__gt=now - RECENT)
    since = now - LEDGER_SPAN
    minutes = ledger.lines(connection.connection, since, "minute")
    return System(
        shards=list(IngestShard.objects.in_use()),
        rates=_rates(minutes, since),
        sources=_sources(ledger.lines(connection.connection, since, "source")),
        events=list(recent[:SHOWN_EVENTS]),
        noticed=set(recent.order_by().values_list("kind", flat=True).distinct()),
        dropped=sum(IngestTotal.objects.values_list("dropped", flat=True)),
        jobs=jobs(now),
        runs=runs,
        database=database(),
        database_bytes=database_bytes,
        shown_to=shown_to,
        letters=DeadLetter.objects.new().order_by()[:COUNTED].count(),
        discovered=DiscoveredSensor.objects.new().order_by()[:COUNTED].count(),
        now=now,
    )


def _rates(lines: list[Line], since: datetime) -> list[float]:
    stored = {line.group["minute"]: line.stored for line in lines}
    first = since.replace(second=0, microsecond=0)
    minutes = [first + timedelta(minutes=n) for n in range(LEDGER_SPAN // timedelta(minutes=1))]
    return [stored.get(f"{minute:%Y-%m-%dT%H:%MZ}", 0) / 60 for minute in minutes]


def _sources(lines: list[Line]) -> Sources:
    by_trouble = sorted(lines, key=lambda line: (-line.broken, -line.received, line.group["source"]))
    sums = [sum(column) for column in zip(*(line[1:] for line in lines), strict=True)] if lines else [0] * 7
    return Sources(by_trouble[:SHOWN_SOURCES], max(0, len(lines) - SHOWN_SOURCES), Line({}, *sums))


def of_ledger(system: System) -> Iterator[Trouble]:
    if IngestEvent.Kind.LEDGER_BROKEN in system.noticed or system.sources.total.broken:
        detail = "Samples were lost or invented, which is a fault of InQube's. Report it with the log of that time:"
        yield Trouble("The ledger does not add up.", detail, "manage.py ledger --last 24h", is_loud=True)


def of_ingest(system: System) -> Iterator[Trouble]:
    if not system.shards:
        detail = "What devices send waits on the broker, as long as it keeps it. Start it:"
        yield Trouble("Ingest is not running.", detail, "manage.py ingest", is_loud=True)
    for shard in system.shards:
        if not shard.runs(system.now):
            detail = (
                f"It was process {shard.pid} on {shard.host}, and did not stop in order; its log says why. Start it:"
            )
            command = f"manage.py ingest --shard {shard.shard}/{shard.of}"
            yield Trouble(f"{shard} is silent.", detail, command, is_loud=True)
        elif not shard.is_connected(system.now):
            detail = "It tries again and again, and its log says what the broker answers. Look whether the broker runs."
            yield Trouble(f"{shard} is not connected to the broker.", detail, is_loud=True)
        elif shard.lag_s > LAGS_FROM_S:
            detail = "Readings are not stored as fast as they come. Look at the database, and its disk."
            yield Trouble(f"{shard} waits for the database.", detail)


def of_broker(system: System) -> Iterator[Trouble]:
    for kind, title in (
        (IngestEvent.Kind.SESSION_LOST, "The broker lost ingest's session."),
        (IngestEvent.Kind.BROKER_DROPPED, "The broker threw messages away."),
    ):
        if kind in system.noticed:
            yield Trouble(
                title, "Messages may be missing: what ingest noticed, on the system page, says of which time."
            )


def of_worker(system: System) -> Iterator[Trouble]:
    if not system.has_worker:
        detail = "Rollups, retention and partitions wait; readings are stored all the same. Start it:"
        yield Trouble("No worker is running.", detail, "manage.py procrastinate worker")


def of_jobs(system: System) -> Iterator[Trouble]:
    if system.jobs.failed:
        detail = "The log of the worker says why. They are tried again; in the admin, at once."
        yield Trouble(f"Jobs failed: {', '.join(system.jobs.failed)}.", detail)
    if system.jobs.late and system.has_worker:
        detail = "They should have begun five minutes ago or longer. A job before them may take long."
        yield Trouble(f"Jobs are late: {', '.join(system.jobs.late)}.", detail)


TROUBLES = (of_ledger, of_ingest, of_broker, of_worker, of_jobs)  # the worst first
