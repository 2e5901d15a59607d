"""How ingest and the workers are, as other processes see them: by what they say of themselves in the database."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.timezone import now
from psycopg import AsyncConnection
from psycopg.rows import class_row

from telemetry.models.processes import SILENT_AFTER
from telemetry.probes.checks import Check
from telemetry.queries.jobs import LATE, STATE, Jobs

BEHIND_S = 10.0  # a message that waited so long for its commit; a batch takes a fraction of a second
SHARDS = """
SELECT seen_at, contact_at, committed_at, standby_at, lag_s FROM ingest_shard WHERE stopped_at IS NULL
"""


class Shard(NamedTuple):
    """An ingest process that nobody stopped in order."""

    seen_at: datetime
    contact_at: datetime | None
    committed_at: datetime | None
    standby_at: datetime | None
    lag_s: float


async def ask_ingest(connection: AsyncConnection) -> Check:
    cursor = await connection.cursor(row_factory=class_row(Shard)).execute(SHARDS)
    return of_ingest(await cursor.fetchall(), now())


async def ask_worker(connection: AsyncConnection) -> Check:
    moment = now()
    row = await (await connection.execute(STATE, {"late": moment - LATE})).fetchone()
    assert row is not None
    return of_worker(Jobs(*row), moment)


def of_ingest(shards: list[Shard], moment: datetime) -> Check:
    """Only told. An old commit alone is no fault: nothing may have come."""

    def recent(at: datetime | None) -> bool:
        return at is not None and moment - at < SILENT_AFTER

    silent = [shard for shard in shards if not recent(shard.seen_at)]
    away = [shard for shard in shards if not recent(shard.contact_at)]
    lag_s = max((shard.lag_s for shard in shards), default=0.0)
    if not shards:
        status = "not running"
    elif silent:
        status = f"{len(silent)} of {len(shards)} silent"
    elif away:
        status = f"{len(away)} of {len(shards)} not connected to the broker"
    elif lag_s > BEHIND_S:
        status = f"behind: a message has waited {lag_s:.0f} s for its commit"
    else:
        status = "ok"
    committed_at = max((shard.committed_at for shard in shards if shard.committed_at), default=None)
    facts = {
        "age_s": age_s(committed_at, moment),  # of the last commit
        "lag_s": round(lag_s, 3),
        "processes": len(shards) - len(silent),
        "standbys": sum(recent(shard.standby_at) for shard in shards),
    }
    return Check(status, is_fatal=False, facts=facts)


def of_worker(jobs: Jobs, moment: datetime) -> Check:
    """Only told: pages, the API and ingest work without one for a while."""
    facts = {"age_s": age_s(jobs.heard_of, moment), "failed": jobs.failed, "late": jobs.late}
    if not jobs.has_worker(moment):
        return Check("not running", is_fatal=False, facts=facts)
    return Check("jobs failed" if jobs.failed else "jobs are late" if jobs.late else "ok", is_fatal=False, facts=facts)


def age_s(at: datetime | None, moment: datetime) -> float | None:
    return None if at is None else round((moment - at) / timedelta(seconds=1), 1)
