"""How the worker and its jobs are: for the admin's first page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

LATE = timedelta(minutes=5)  # after its time; one that waits for another of its kind is not late sooner
ALIVE = timedelta(seconds=60)  # a worker says every ten seconds that it is there

# A kind of job has failed when the last of it that ended has: the next one that succeeds puts it right.
STATE = """
SELECT (SELECT max(last_heartbeat) FROM procrastinate_workers),
       ARRAY(
           SELECT task_name FROM (
               SELECT DISTINCT ON (task_name) task_name, status FROM procrastinate_jobs
               WHERE status IN ('succeeded', 'failed') ORDER BY task_name, id DESC
           ) AS ended WHERE status = 'failed' ORDER BY task_name
       ),
       ARRAY(
           SELECT DISTINCT task_name FROM procrastinate_jobs AS job
           WHERE status = 'todo' AND %(late)s > coalesce(
               scheduled_at, (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id AND type = 'deferred')
           ) ORDER BY task_name
       )
"""


@dataclass(frozen=True, slots=True)
class Jobs:
    """When a worker was last heard of, and the kinds of jobs that need a person."""

    heard_of: datetime | None
    failed: list[str]
    late: list[str]

    def has_worker(self, moment: datetime) -> bool:
        return self.heard_of is not None and moment - self.heard_of < ALIVE


def jobs(moment: datetime) -> Jobs:
    with connection.cursor() as cursor:
        cursor.execute(STATE, {"late": moment - LATE})
        return Jobs(*cursor.fetchone())
