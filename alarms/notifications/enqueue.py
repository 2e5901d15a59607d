"""Defers the job that tells of an alarm's events, in the transaction that writes them: none without the other.

Nothing is done for a plant without a policy. By procrastinate's own SQL function: ingest and requests have cursors of
different kinds, and neither may wait for a connection more.
"""

from collections.abc import Sequence
from typing import Any

from alarms.lifecycle import Kind
from alarms.notifications.policy import WORST_FIRST

CALLS = (Kind.RAISED, Kind.RELEASED, Kind.UNSHELVED)  # from when on an alarm calls for somebody
TOLD = frozenset({*CALLS, Kind.CLEARED})

# The job `notify` of telemetry/jobs.py, one a plant. Those of a plant run in their order: what is planned for an alarm
# that clears depends on what was planned when it was raised.
DEFER = """
SELECT procrastinate_defer_jobs_v1(array_agg(job)) FROM (
    SELECT ('default', 'notify', 0, 'notify:' || event.plant_id, NULL,
            jsonb_build_object('events', jsonb_agg(event.id ORDER BY event.id)), NULL)::procrastinate_job_to_defer_v1
    FROM alarms_alarmevent AS event JOIN alarms_alarm AS alarm ON alarm.id = event.alarm_id
    WHERE event.id = ANY(%(events)s::bigint[]) AND event.kind = ANY(%(told)s::text[]) AND alarm.held_under_id IS NULL
      AND (event.kind = 'unshelved' OR alarm.shelved_until IS NULL OR alarm.shelved_until <= statement_timestamp())
      AND EXISTS (
          SELECT FROM alarms_notificationpolicy AS policy
          WHERE policy.plant_id = event.plant_id AND policy.is_enabled
            AND array_position(%(severities)s::text[], policy.severity::text) > alarm.rank
      )
    GROUP BY event.plant_id
) AS due (job)
HAVING count(*) > 0
"""


def enqueue(cursor: Any, events: Sequence[int]) -> None:
    """Of events that this transaction has written, those that somebody wants to hear of."""
    values = {"events": list(events), "told": sorted(TOLD), "severities": list(WORST_FIRST)}
    cursor.execute(DEFER, values)
