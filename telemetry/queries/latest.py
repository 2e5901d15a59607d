"""The newest reading per sensor, from `latest` alone: `reading` is never searched for it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from telemetry.models import Latest


def latest_of_plant(plant_id: UUID) -> QuerySet[Latest]:
    return Latest.objects.filter(sensor__machine__zone__plant=plant_id)


def latest_rows(plant_id: UUID, sensors: frozenset[int] | None = None) -> list[list[Any]]:
    """`[sensor number, milliseconds since 1970 UTC, value, quality]` of a plant's sensors, or of some of them."""
    latest = latest_of_plant(plant_id)
    if sensors is not None:
        latest = latest.filter(sensor__in=sensors)
    rows = latest.order_by("sensor").values_list("sensor_id", "time", "value", "quality")
    return [[number, int(time.timestamp() * 1000), value, quality] for number, time, value, quality in rows]
