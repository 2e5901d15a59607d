"""The last hour of many sensors at once, as small as a sparkline needs it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

SPAN = timedelta(hours=1)
BUCKET = timedelta(minutes=2)  # 30 points on 40 pixels

LAST_HOUR = """
SELECT sensor, date_bin(make_interval(secs => %(bucket_s)s), time, '2000-01-03') AS bucket, avg(value)
FROM reading
WHERE sensor = ANY(%(sensors)s) AND time > %(start)s AND time <= %(end)s
  AND quality >= 192  -- only good readings: a sparkline shows the process, not the fault of a sensor
GROUP BY sensor, bucket
ORDER BY sensor, bucket
"""


def sparklines(sensors: Sequence[int], now: datetime) -> dict[int, list[tuple[datetime, float]]]:
    """Per sensor number: (start of the bucket, mean of its good readings), oldest first, gaps left out."""
    points: dict[int, list[tuple[datetime, float]]] = {number: [] for number in sensors}
    with connection.cursor() as cursor:
        cursor.execute(
            LAST_HOUR, {"bucket_s": BUCKET.total_seconds(), "sensors": list(sensors), "start": now - SPAN, "end": now}
        )
        for number, bucket, mean in cursor.fetchall():
            points[number].append((bucket, mean))
    return points
