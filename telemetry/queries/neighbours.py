"""Where readings are, next to a range of time that has none."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

# Of each sensor the primary key knows the next one. What is older than the kept readings is in the rollups.
BEFORE = """
SELECT max(at) FROM (
    SELECT next.time AS at FROM unnest(%(sensors)s::int[]) AS asked (sensor)
    CROSS JOIN LATERAL (
        SELECT time FROM reading WHERE sensor = asked.sensor AND time < %(start)s ORDER BY time DESC LIMIT 1
    ) AS next
    UNION ALL
    SELECT coalesce(last_at, bucket) FROM reading_1d WHERE sensor = ANY(%(sensors)s) AND bucket < %(start)s
) AS found WHERE at < %(start)s
"""
AFTER = """
SELECT min(at) FROM (
    SELECT next.time AS at FROM unnest(%(sensors)s::int[]) AS asked (sensor)
    CROSS JOIN LATERAL (
        SELECT time FROM reading WHERE sensor = asked.sensor AND time >= %(end)s ORDER BY time LIMIT 1
    ) AS next
    UNION ALL
    SELECT coalesce(first_at, bucket) FROM reading_1d WHERE sensor = ANY(%(sensors)s) AND bucket >= %(end)s
) AS found
"""


def neighbours(sensors: Sequence[int], start: datetime, end: datetime) -> tuple[datetime | None, datetime | None]:
    """The time of the last reading before, and of the first one after, of any of the sensors."""
    asked: dict[str, Any] = {"sensors": list(sensors), "start": start, "end": end}
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, asked)
        (before,) = cursor.fetchone()
        cursor.execute(AFTER, asked)
        (after,) = cursor.fetchone()
    return before, after
