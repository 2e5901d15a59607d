"""Readings over REST: the newest, and those of the past."""

from typing import Any

from django.db.models import QuerySet
from django.utils.timezone import now
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plants.models import Machine, Plant, Sensor
from telemetry.api.serializers import MAX_ANSWER, MAX_SENSORS, HistoryQuery, LatestReadingSerializer, SeriesSerializer
from telemetry.queries.history import raw_series
from telemetry.queries.latest import latest_views

LATEST_EXAMPLE = OpenApiExample(
    "A bearing's temperature",
    {
        "sensor_id": "4a53ddcd-6b41-4bb7-a7ba-98e4a03a4e55",
        "sensor_number": 17,
        "address": "kandy/rolling/roller-2/bearing-temp",
        "timestamp": "2026-11-24T14:31:22.125000Z",
        "value": 68.2,
        "unit": "°C",
        "quality": 192,
        "freshness": "fresh",
    },
    response_only=True,
)
HISTORY_EXAMPLE = OpenApiExample(
    "Two readings",
    {
        "sensor_id": "4a53ddcd-6b41-4bb7-a7ba-98e4a03a4e55",
        "unit": "°C",
        "bucket": "raw",
        "columns": ["ts", "value", "quality"],
        "points": [[1795530682125.0, 68.2, 192.0], [1795530683125.0, 68.3, 192.0]],
        "next": None,
    },
    response_only=True,
)


def names(name: str, what: str, *, required: bool = False) -> OpenApiParameter:
    """A repeatable parameter that names things by UUID or address."""
    return OpenApiParameter(name, OpenApiTypes.STR, many=True, required=required, description=what)


def find(rows: Any, given: list[str], what: str) -> QuerySet[Any]:
    """What the names mean among the rows, which are those the user sees; 404 with the first that means nothing."""
    found = rows.named(given)
    if found.count() < len(set(given)):
        for name in given:
            if not rows.named([name]).exists():
                raise NotFound(f"There is no {what} “{name}”.")
    return found


class LatestView(APIView):
    """The newest reading of each sensor, by the sensor's own time."""

    @extend_schema(
        operation_id="telemetry_latest",
        tags=["telemetry"],
        parameters=[
            names("plant", "Only sensors of these plants: UUIDs, or slugs such as `kandy`."),
            names("machine", "Only sensors of these machines: UUIDs, or addresses such as `kandy/rolling/roller-2`."),
            names("sensor", "Only these sensors: UUIDs, or addresses such as `kandy/rolling/roller-2/temp`."),
        ],
        responses=LatestReadingSerializer(many=True),
        examples=[LATEST_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        sensors = Sensor.objects.visible_to(request.user)
        if given := request.query_params.getlist("plant"):
            sensors = sensors.filter(
                machine__zone__plant__in=find(Plant.objects.visible_to(request.user), given, "plant")
            )
        if given := request.query_params.getlist("machine"):
            sensors = sensors.filter(machine__in=find(Machine.objects.visible_to(request.user), given, "machine"))
        if given := request.query_params.getlist("sensor"):
            sensors = sensors.filter(pk__in=find(Sensor.objects.visible_to(request.user), given, "sensor"))
        return Response(
            LatestReadingSerializer(
                [
                    {
                        "sensor_id": view.sensor.pk,
                        "sensor_number": view.sensor.number,
                        "address": view.sensor.address,
                        "timestamp": view.latest.time if view.latest else None,
                        "value": view.latest.value if view.latest else None,
                        "unit": view.sensor.unit,
                        "quality": view.latest.quality if view.latest else None,
                        "freshness": view.freshness,
                    }
                    for view in latest_views(sensors, now())
                ],
                many=True,
            ).data
        )


class HistoryView(APIView):
    """The readings of one or more sensors in a range of time, oldest first."""

    @extend_schema(
        operation_id="telemetry_history",
        tags=["telemetry"],
        parameters=[
            names("sensor_id", f"UUIDs or addresses of sensors, {MAX_SENSORS} at most.", required=True),
            HistoryQuery,
        ],
        responses=SeriesSerializer(many=True),
        examples=[HISTORY_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params.getlist("sensor_id")
        if not 0 < len(given) <= MAX_SENSORS:
            raise ValidationError({"sensor_id": f"Name 1 to {MAX_SENSORS} sensors."})
        parameters = HistoryQuery(data=request.query_params.dict())
        parameters.is_valid(raise_exception=True)
        query = parameters.validated_data
        if len(given) * query["points"] > MAX_ANSWER:
            raise ValidationError(
                {"points": f"Ask for at most {MAX_ANSWER // len(given)} of each of {len(given)} sensors."}
            )
        if "cursor" in query and len(given) > 1:
            raise ValidationError({"cursor": "A cursor goes on with one sensor: name that one alone."})
        sensors = find(Sensor.objects.visible_to(request.user), given, "sensor").order_by("number")
        series = [
            raw_series(
                sensor,
                query["start"],
                query["end"],
                query["points"],
                good_only=query["quality"] == "good",
                cursor=query.get("cursor"),
            )
            for sensor in sensors
        ]
        return Response(SeriesSerializer(series, many=True).data)
