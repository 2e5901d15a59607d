"""What the database knows for /metrics: counters that only grow, also across restarts, and the present state."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from psycopg import AsyncConnection, IsolationLevel
from psycopg.rows import TupleRow, dict_row

from alarms.lifecycle import UNACKNOWLEDGED
from telemetry.ingest.counters import BOUNDS_S
from telemetry.models.processes import SILENT_AFTER
from telemetry.queries import jobs

LIMIT = "2s"  # for each statement; all go through an index, or look at a few rows

# Minutes that are closed are in `ledger_total`. Both in one statement, or a minute that is closed between two would be
# counted twice or not at all.
READINGS = """
SELECT kind, sum(stored)::bigint AS stored, sum(duplicate)::bigint AS duplicate, sum(conflict)::bigint AS conflict,
       sum(late)::bigint AS late, sum(dead)::bigint AS dead
FROM (
    SELECT kind, stored, duplicate, conflict, late, dead FROM ledger_total
    UNION ALL
    SELECT kind, sum(stored), sum(duplicate), sum(conflict), sum(late), sum(dead)
    FROM ledger WHERE minute >= (SELECT checked_to FROM ledger_state) GROUP BY kind
) AS counts GROUP BY kind
"""
DEAD = "SELECT kind, reason, samples FROM dead_total"
TOTALS = "SELECT messages, rejected, commits, commit_s, dropped FROM ingest_total"
SHARDS = """
SELECT client_id, seen_at, contact_at, unacknowledged, lag_s, standby_at, committed_at
FROM ingest_shard WHERE stopped_at IS NULL
"""
STATE = """
SELECT (SELECT broken FROM ledger_state), (SELECT shown_to FROM rollup_state), pg_database_size(current_database()),
       (SELECT count(*) FROM (SELECT FROM dead_letter WHERE state = 'new' LIMIT %s) AS waiting)
"""
LETTERS = 10_000  # that wait and are counted; who has more need not know how many more
ALARMS = """
SELECT severity, count(*), count(*) FILTER (WHERE state = ANY(%s)) FROM alarms_alarm
WHERE state <> 'closed' AND held_under_id IS NULL GROUP BY severity
"""


@dataclass(frozen=True, slots=True)
class Process:
    """An ingest process that nobody stopped in order."""

    client_id: str
    runs: bool
    is_connected: bool
    unacknowledged: int
    lag_s: float
    has_standby: bool
    committed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Alarms:
    """Of a severity: those that are open, and those of them that nobody has acknowledged."""

    open: int
    unacknowledged: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything as of one moment of the database."""

    readings: dict[str, dict[str, int]]  # by kind and result
    dead: dict[tuple[str, str], int]  # by kind and reason
    messages: int
    rejected: int
    commits: list[int]  # by counters.BOUNDS_S
    commit_s: float
    dropped: int
    processes: list[Process]
    ledger_broken: int
    letters_waiting: int
    rollup_lag_s: float
    database_bytes: int
    jobs: jobs.Jobs
    alarms: dict[str, Alarms]  # by severity


async def read(connection: AsyncConnection[TupleRow], moment: datetime) -> Facts:
    """Raises psycopg.Error where the database does not answer in time."""
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    await connection.set_read_only(True)
    named = connection.cursor(row_factory=dict_row)
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.execute("SELECT set_config('statement_timeout', %s, true)", [LIMIT])
        readings = {row.pop("kind"): row for row in await (await named.execute(READINGS)).fetchall()}
        dead = {(kind, reason): samples async for kind, reason, samples in await cursor.execute(DEAD)}
        totals = await (await cursor.execute(TOTALS)).fetchall()
        processes = [_process(moment, *row) for row in await (await cursor.execute(SHARDS)).fetchall()]
        ((broken, shown_to, size, letters),) = await (await cursor.execute(STATE, [LETTERS])).fetchall()
        counted = await cursor.execute(ALARMS, [sorted(UNACKNOWLEDGED)])
        alarms = {severity: Alarms(*counts) async for severity, *counts in counted}
        ((*job_state,),) = await (await cursor.execute(jobs.STATE, {"late": moment - jobs.LATE})).fetchall()
    messages, rejected, commits, commit_s, dropped = zip(*totals, strict=True) if totals else ((), (), (), (), ())
    no_commits = [0] * (len(BOUNDS_S) + 1)
    return Facts(
        readings,
        dead,
        sum(messages),
        sum(rejected),
        [sum(each) for each in zip_longest(no_commits, *commits, fillvalue=0)],
        sum(commit_s, start=0.0),
        sum(dropped),
        processes,
        broken,
        letters,
        (moment - shown_to).total_seconds(),
        size,
        jobs.Jobs(*job_state),
        alarms,
    )


def _process(
    moment: datetime,
    client_id: str,
    seen_at: datetime,
    contact_at: datetime | None,
    unacknowledged: int,
    lag_s: float,
    standby_at: datetime | None,
    committed_at: datetime | None,
) -> Process:
    """Of one that is silent, nobody knows how long messages wait, but that none is stored since it was heard of."""
    silent_for = moment - seen_at
    runs = silent_for < SILENT_AFTER
    return Process(
        client_id,
        runs,
        runs and contact_at is not None and moment - contact_at < SILENT_AFTER,
        unacknowledged,
        lag_s if runs else lag_s + silent_for / timedelta(seconds=1),
        standby_at is not None and moment - standby_at < SILENT_AFTER,
        committed_at,
    )
