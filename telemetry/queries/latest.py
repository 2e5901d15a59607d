"""The newest reading per sensor, from `latest` alone: `reading` is never searched for it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from plants.models import Sensor
from telemetry.models import Latest
from telemetry.queries.console import SensorView, sensor_views


def latest_views(sensors: QuerySet[Sensor], now: datetime) -> list[SensorView]:
    """Each of the sensors, by address, with its newest reading and how fresh that is; two queries.

    A sensor is as fresh as the plant's page says, whichever of its machine's sensors are asked for with it.
    """
    rows: Iterable[Sensor] = (
        sensors.with_address()  # type: ignore[attr-defined]
        .select_related("latest", "machine__zone__plant")
        .order_by("machine__zone__plant__slug", "machine__zone__slug", "machine__slug", "slug")
    )
    machines_own: defaultdict[UUID, list[Sensor]] = defaultdict(list)
    in_use = Sensor.objects.filter(machine__in=sensors.values("machine"), is_active=True).select_related("latest")
    for sensor in in_use:
        machines_own[sensor.machine_id].append(sensor)
    return [
        view
        for machine_id, of_machine in groupby(rows, key=lambda sensor: sensor.machine_id)
        for view in sensor_views(of_machine, machines_own[machine_id], now)
    ]


def latest_rows(plant_id: UUID, sensors: frozenset[int] | None = None) -> list[list[Any]]:
    """`[sensor number, milliseconds since 1970 UTC, value, quality]` of a plant's sensors, or of some of them."""
    latest = Latest.objects.filter(sensor__machine__zone__plant=plant_id)
    if sensors is not None:
        latest = latest.filter(sensor__number__in=sensors)
    rows = latest.order_by("sensor").values_list("sensor_id", "time", "value", "quality")
    return [[number, int(time.timestamp() * 1000), value, quality] for number, time, value, quality in rows]
