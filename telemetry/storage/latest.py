"""Puts `latest` right where it differs from the newest reading: rows that were written by hand, or by a restore.

It only moves forward, or corrects the value of the same time. What `latest` knows and `reading` doesn't stays: the
last reading of a sensor that has been silent for longer than raw readings are kept.
"""

from psycopg import Connection

SENSORS_AT_ONCE = 200  # whose rows ingest may have to wait for; a few milliseconds

# One descent of the primary key a sensor, in the partitions since its latest.
DIFFERING = """
SELECT s.number FROM plants_sensor AS s
LEFT JOIN latest AS l ON l.sensor = s.number
CROSS JOIN LATERAL (
    SELECT time, value, quality FROM reading
    WHERE sensor = s.number AND time >= coalesce(l.time, '-infinity') ORDER BY time DESC LIMIT 1
) AS newest
WHERE (newest.time, newest.value, newest.quality) IS DISTINCT FROM (l.time, l.value, l.quality)
ORDER BY s.number
"""

# Ingest writes a reading before it takes the sensor's row of `latest`. So once we hold the row, the next statement
# sees every reading whose writer has passed it, and whoever has not comes after us.
LOCK_ROWS = "SELECT FROM latest WHERE sensor = ANY(%s) ORDER BY sensor FOR UPDATE"
CORRECT = """
UPDATE latest AS l SET time = newest.time, value = newest.value, quality = newest.quality,
    received_at = CASE WHEN newest.time > l.time THEN least(newest.time, statement_timestamp()) ELSE l.received_at END
FROM latest AS old
CROSS JOIN LATERAL (
    SELECT time, value, quality FROM reading
    WHERE sensor = old.sensor AND time >= old.time ORDER BY time DESC LIMIT 1
) AS newest
WHERE l.sensor = old.sensor AND old.sensor = ANY(%s)
  AND (newest.time, newest.value, newest.quality) IS DISTINCT FROM (l.time, l.value, l.quality)
"""
ADD_MISSING = """
INSERT INTO latest AS l (sensor, time, value, quality, received_at)
SELECT s.sensor, newest.time, newest.value, newest.quality, least(newest.time, statement_timestamp())
FROM unnest(%s::int[]) AS s (sensor)
CROSS JOIN LATERAL (
    SELECT time, value, quality FROM reading WHERE sensor = s.sensor ORDER BY time DESC LIMIT 1
) AS newest
WHERE NOT EXISTS (SELECT FROM latest WHERE latest.sensor = s.sensor) ORDER BY s.sensor
ON CONFLICT (sensor) DO UPDATE
SET time = excluded.time, value = excluded.value, quality = excluded.quality, received_at = excluded.received_at
WHERE l.time < excluded.time
"""


def repair(connection: Connection) -> int:
    """Corrects `latest` beside running ingest; the number of sensors that were wrong.

    Args:
        connection: in autocommit, at the isolation level READ COMMITTED.
    """
    numbers = [number for (number,) in connection.execute(DIFFERING)]
    corrected = 0
    for start in range(0, len(numbers), SENSORS_AT_ONCE):
        some = numbers[start : start + SENSORS_AT_ONCE]
        with connection.transaction():
            connection.execute(LOCK_ROWS, [some])
            corrected += connection.execute(CORRECT, [some]).rowcount
            corrected += connection.execute(ADD_MISSING, [some]).rowcount
    return corrected
