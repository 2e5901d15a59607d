"""How many readings a second arrive, counted rather than assumed from the sensors' intervals."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

WINDOW = timedelta(minutes=1)
SPAN = timedelta(hours=1)

COUNT = "SELECT sensor, count(*) FROM reading WHERE sensor = ANY(%s) AND time > %s AND time <= %s GROUP BY sensor"

# From the ledger, which has one row where the readings have thousands. Imports and replays are work of people, not
# what a plant sends. The minute that goes on is left out: it would look like a fall.
BY_MINUTE = """
SELECT split_part(source, '/', 1) AS plant, minute, sum(stored)::float8 / 60
FROM ledger
WHERE minute >= %(start)s AND minute < date_trunc('minute', %(end)s::timestamptz) AND kind IN ('mqtt', 'http')
  AND split_part(source, '/', 1) = ANY(%(plants)s)
GROUP BY plant, minute ORDER BY plant, minute
"""

Rates = list[tuple[datetime, float]]  # readings a second, by minute


def rates_by_sensor(sensors: Sequence[int], now: datetime) -> dict[int, float]:
    """The mean of the last minute, by the readings' own times; without those that sent nothing."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [list(sensors), now - WINDOW, now])
        return {sensor: count / WINDOW.total_seconds() for sensor, count in cursor.fetchall()}


def readings_a_second(sensors: Sequence[int], now: datetime) -> float:
    """Of these sensors together."""
    return sum(rates_by_sensor(sensors, now).values())


def rates_of_last_hour(plants: Sequence[str], now: datetime) -> dict[str, Rates]:
    """Of each plant by its slug, oldest first; by the time of arrival, late readings included."""
    rates: dict[str, Rates] = {slug: [] for slug in plants}
    with connection.cursor() as cursor:
        cursor.execute(BY_MINUTE, {"plants": list(plants), "start": now - SPAN, "end": now})
        for slug, minute, rate in cursor.fetchall():
            rates[slug].append((minute, rate))
    return rates
