"""Since when state sensors have the value they have."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

LOOK_BACK = timedelta(days=1)  # bounds the scan of a machine that has not changed for a long time

# Walks each sensor's primary key backward from its latest reading to the first that differs, then takes the
# next one after it. `changed` is false where nothing differs within the look-back.
SINCE = """
SELECT latest.sensor, since.time, other.time IS NOT NULL AS changed
FROM latest
LEFT JOIN LATERAL (
    SELECT reading.time FROM reading
    WHERE reading.sensor = latest.sensor AND reading.value <> latest.value
      AND reading.time > latest.time - make_interval(secs => %(look_back_s)s) AND reading.time < latest.time
    ORDER BY reading.time DESC LIMIT 1
) other ON true
CROSS JOIN LATERAL (
    SELECT reading.time FROM reading
    WHERE reading.sensor = latest.sensor AND reading.time <= latest.time
      AND reading.time > coalesce(other.time, latest.time - make_interval(secs => %(look_back_s)s))
    ORDER BY reading.time LIMIT 1
) since
WHERE latest.sensor = ANY(%(sensors)s)
"""


class Since(NamedTuple):
    time: datetime
    changed: bool  # False: at least since then


def state_changes(sensors: Sequence[int]) -> dict[int, Since]:
    """Per sensor number, of those that have readings."""
    with connection.cursor() as cursor:
        cursor.execute(SINCE, {"sensors": list(sensors), "look_back_s": LOOK_BACK.total_seconds()})
        return {number: Since(time, changed) for number, time, changed in cursor.fetchall()}
