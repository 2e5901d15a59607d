"""The alarms of some sensors within a range: those that a trend shows above its lines and below."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from alarms.models import Alarm
from plants.models import Sensor
from telemetry.alarm_rows import AlarmRow
from telemetry.queries.alarms import alarm_rows

MOST = 100  # the newest; whoever looks at more has a wider range than a screen


class Episode(NamedTuple):
    row: AlarmRow
    sensor: int  # its number
    start: datetime
    end: datetime | None  # None: it holds


def episodes(sensors: Sequence[Sensor], start: datetime, end: datetime, now: datetime) -> list[Episode]:
    """Newest first; whatever of them lies in the range. Who sees the sensors sees their alarms. One query."""
    over = Q(cleared_at__isnull=True, closed_at__isnull=True) | Q(cleared_at__gte=start)
    forced = Q(cleared_at__isnull=True, closed_at__gte=start)
    found = list(
        Alarm.objects.filter(over | forced, sensor__in=sensors, raised_at__lt=end)
        .with_words()
        .order_by("-raised_at", "id")[:MOST]
    )
    numbers = {sensor.pk: sensor.number for sensor in sensors}
    return [
        Episode(row, numbers[alarm.sensor_id], alarm.raised_at, alarm.cleared_at or alarm.closed_at)
        for alarm, row in zip(found, alarm_rows(found, now), strict=True)
        if alarm.sensor_id in numbers
    ]
