"""How many readings a second arrive, counted rather than assumed from the sensors' intervals."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

WINDOW = timedelta(minutes=1)

COUNT = "SELECT count(*) FROM reading WHERE sensor = ANY(%s) AND time > %s AND time <= %s"


def readings_a_second(sensors: Sequence[int], now: datetime) -> float:
    """The mean of the last minute, by the readings' own times."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [list(sensors), now - WINDOW, now])
        return cursor.fetchone()[0] / WINDOW.total_seconds()
