"""Makes the deliveries of an alarm's events, each once however often the job runs, and a job for each at its time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from alarms.notifications.enqueue import CALLS
from alarms.notifications.policy import WORST_FIRST

# Where two policies tell the same channel at the same time, once is enough: by the one that is less quiet.
RAISED = """
INSERT INTO alarms_delivery (
    id, plant_id, channel_id, channel_name, alarm_id, event_id, step_id, after_min, kind, state, due_at, was_put_off,
    attempts, told, reason
)
SELECT gen_random_uuid(), event.plant_id, channel.id, channel.name, alarm.id, event.id, step.id, step.after_min,
    'raised', 'waiting', event.recorded_at + make_interval(mins => step.after_min), false, 0, '[]', ''
FROM alarms_alarmevent AS event
JOIN alarms_alarm AS alarm ON alarm.id = event.alarm_id
JOIN alarms_notificationpolicy AS policy ON policy.plant_id = event.plant_id AND policy.is_enabled
    AND array_position(%(severities)s::text[], policy.severity::text) > alarm.rank
JOIN alarms_notificationstep AS step ON step.policy_id = policy.id
JOIN alarms_notificationchannel AS channel ON channel.id = step.channel_id AND channel.plant_id = event.plant_id
    AND channel.is_enabled
WHERE event.id = ANY(%(events)s::bigint[]) AND event.kind = ANY(%(calls)s::text[]) AND event.state = 'raised'
ORDER BY event.id, step.after_min, policy.quiet_from NULLS FIRST, policy.id
ON CONFLICT DO NOTHING RETURNING id
"""
# To those that have been told of the alarm, or are about to be.
CLEARED = """
INSERT INTO alarms_delivery (
    id, plant_id, channel_id, channel_name, alarm_id, event_id, after_min, kind, state, due_at, was_put_off, attempts,
    told, reason
)
SELECT gen_random_uuid(), event.plant_id, channel.id, channel.name, event.alarm_id, event.id, 0, 'cleared', 'waiting',
    event.recorded_at, false, 0, '[]', ''
FROM alarms_alarmevent AS event
JOIN alarms_notificationchannel AS channel ON channel.plant_id = event.plant_id
    AND channel.is_enabled AND channel.tells_clearing
WHERE event.id = ANY(%(events)s::bigint[]) AND event.kind = 'cleared' AND EXISTS (
    SELECT FROM alarms_delivery AS raised
    WHERE raised.alarm_id = event.alarm_id AND raised.channel_id = channel.id AND raised.kind = 'raised'
      AND (raised.state IN ('sending', 'sent', 'collected') OR raised.state = 'waiting' AND raised.due_at <= now())
)
ON CONFLICT DO NOTHING RETURNING id
"""
# The job `deliver` of telemetry/jobs.py.
DEFER = """
SELECT procrastinate_defer_jobs_v1(array_agg(
    ('default', 'deliver', 0, NULL, NULL, jsonb_build_object('delivery', id),
     coalesce(%(at)s::timestamptz, due_at))::procrastinate_job_to_defer_v1
    ORDER BY due_at, created_at
))
FROM alarms_delivery WHERE id = ANY(%(deliveries)s::uuid[]) HAVING count(*) > 0
"""


def plan(events: Sequence[int]) -> int:
    """Gives how many deliveries are new."""
    values: dict[str, Any] = {"events": list(events), "calls": list(CALLS), "severities": list(WORST_FIRST)}
    with transaction.atomic(), connection.cursor() as cursor:
        made = []
        for statement in (RAISED, CLEARED):
            cursor.execute(statement, values)
            made += [pk for (pk,) in cursor.fetchall()]
        defer(made)
    return len(made)


def defer(deliveries: Sequence[UUID], at: datetime | None = None) -> None:
    """A job for each, at the time at which it is due or at another; with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(DEFER, {"deliveries": list(deliveries), "at": at})
