"""The newest reading per sensor, from `latest` alone: `reading` is never searched for it."""

from collections import defaultdict
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import QuerySet

from plants.models import Sensor
from telemetry.freshness import Freshness, freshness, on_change_freshness
from telemetry.models import Latest


class LatestReading(TypedDict):
    """A sensor's newest reading; time, value and quality are None before the first."""

    sensor_id: UUID
    sensor_number: int
    address: str
    timestamp: datetime | None
    value: float | None
    unit: str
    quality: int | None
    freshness: Freshness


def latest_readings(sensors: QuerySet[Sensor], now: datetime) -> list[LatestReading]:
    """Each of the sensors, by address, with its newest reading and how fresh that is; two queries, no model instances.

    A sensor is as fresh as the plant's page says, whichever of its machine's sensors are asked for with it.
    """
    rows = (
        sensors.with_address()  # type: ignore[attr-defined]
        .order_by("machine__zone__plant__slug", "machine__zone__slug", "machine__slug", "slug")
        .values_list(
            "pk",
            "number",
            "address_path",
            "machine_id",
            "unit",
            "expected_interval_s",
            "stale_after_s",
            "latest__time",
            "latest__value",
            "latest__quality",
        )
    )
    neighbours = _regular_neighbours(sensors, now)
    found: list[LatestReading] = []
    for pk, number, address, machine_id, unit, interval_s, stale_after_s, time, value, quality in rows:
        fresh = freshness(_age_s(time, now), interval_s, stale_after_s)
        if interval_s is None:
            fresh = on_change_freshness(fresh, neighbours[machine_id])
        found.append(
            {
                "sensor_id": pk,
                "sensor_number": number,
                "address": address,
                "timestamp": time,
                "value": value,
                "unit": unit,
                "quality": quality,
                "freshness": fresh,
            }
        )
    return found


def _regular_neighbours(sensors: QuerySet[Sensor], now: datetime) -> defaultdict[UUID, list[Freshness]]:
    """How fresh those are that report at an interval, by machine, where one that reports on change is asked for."""
    machines = sensors.filter(expected_interval_s=None).values("machine")
    rows = Sensor.objects.filter(machine__in=machines, is_active=True, expected_interval_s__isnull=False)
    found: defaultdict[UUID, list[Freshness]] = defaultdict(list)
    for machine_id, interval_s, stale_after_s, time in rows.values_list(
        "machine_id", "expected_interval_s", "stale_after_s", "latest__time"
    ):
        found[machine_id].append(freshness(_age_s(time, now), interval_s, stale_after_s))
    return found


def _age_s(time: datetime | None, now: datetime) -> float | None:
    return (now - time).total_seconds() if time else None


def latest_rows(plant_id: UUID, sensors: frozenset[int] | None = None) -> list[list[Any]]:
    """`[sensor number, milliseconds since 1970 UTC, value, quality]` of a plant's sensors, or of some of them."""
    latest = Latest.objects.filter(sensor__machine__zone__plant=plant_id)
    if sensors is not None:
        latest = latest.filter(sensor__number__in=sensors)
    rows = latest.order_by("sensor").values_list("sensor_id", "time", "value", "quality")
    return [[number, int(time.timestamp() * 1000), value, quality] for number, time, value, quality in rows]
