"""Readings over REST: the newest, and those of the past."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.timezone import now
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plants.models import Machine, Plant, Sensor
from telemetry.api.renderers import QUICK_RENDERERS
from telemetry.api.serializers import MAX_SENSORS, HistoryQuery, LatestReadingSerializer, SeriesSerializer
from telemetry.queries.history.answer import MAX_ANSWER, history
from telemetry.queries.history.kinds import AGGREGATES
from telemetry.queries.history.limited import TooSlowError
from telemetry.queries.history.refused import RefusedError
from telemetry.queries.latest import latest_readings

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
HISTORY_EXAMPLES = [
    OpenApiExample(
        "Two readings",
        {
            "sensor_id": "4a53ddcd-6b41-4bb7-a7ba-98e4a03a4e55",
            "unit": "°C",
            "bucket": "raw",
            "columns": ["ts", "value", "quality"],
            "points": [[1795530682125, 68.2, 192], [1795530683125, 68.3, 192]],
            "next": None,
        },
        response_only=True,
    ),
    OpenApiExample(
        "Two hours, the second without a reading, with fill=null",
        {
            "sensor_id": "4a53ddcd-6b41-4bb7-a7ba-98e4a03a4e55",
            "unit": "°C",
            "bucket": "1h",
            "columns": ["ts", "avg", "min", "max"],
            "points": [[1795528800000, 68.2, 66.9, 70.4], [1795532400000, None, None, None]],
            "next": None,
        },
        response_only=True,
    ),
    OpenApiExample(
        "An hour of a machine's states, in seconds",
        {
            "sensor_id": "0d5f2d6e-9a7c-4a55-8f5e-2f3c7f2f6a11",
            "unit": "",
            "bucket": "1h",
            "columns": ["ts", "stopped", "running"],
            "points": [[1795528800000, 412.5, 3187.5]],
            "next": None,
        },
        response_only=True,
    ),
]
AGG = OpenApiParameter(
    "agg",
    {"type": "array", "items": {"type": "string", "enum": list(AGGREGATES)}},
    explode=False,
    style="form",
    description=str(HistoryQuery().fields["agg"].help_text),
)


class SlowError(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = (
        f"The answer would take more than {settings.HISTORY_TIMEOUT_S} s. "
        "Ask for a shorter range, larger buckets, or fewer sensors."
    )
    default_code = "too_slow"
    wait = 30  # Retry-After: what kept the database busy may be over then


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

    renderer_classes = QUICK_RENDERERS

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
        return Response(latest_readings(sensors, now()))


class HistoryView(APIView):
    """The past of one or more sensors in a range of time, oldest first: single readings, or buckets of any size.

    An answer that would take too long is a 503 that says what to ask for instead.
    """

    renderer_classes = QUICK_RENDERERS

    @extend_schema(
        operation_id="telemetry_history",
        tags=["telemetry"],
        parameters=[
            names("sensor_id", f"UUIDs or addresses of sensors, {MAX_SENSORS} at most.", required=True),
            HistoryQuery,
            AGG,
        ],
        responses=SeriesSerializer(many=True),
        examples=HISTORY_EXAMPLES,
    )
    def get(self, request: Request) -> Response:
        given = request.query_params.getlist("sensor_id")
        if not 0 < len(given) <= MAX_SENSORS:
            raise ValidationError({"sensor_id": f"Name 1 to {MAX_SENSORS} sensors."})
        parameters = HistoryQuery(data=request.query_params.dict())
        parameters.is_valid(raise_exception=True)
        question = parameters.question
        if len(given) * question.target > MAX_ANSWER:
            raise ValidationError(
                {"points": f"Ask for at most {MAX_ANSWER // len(given)} of each of {len(given)} sensors."}
            )
        if question.cursor is not None and len(given) > 1:
            raise ValidationError({"cursor": "A cursor goes on with one sensor: name that one alone."})
        visible = Sensor.objects.visible_to(request.user)
        sensors = list(visible.named(given).select_related("machine__zone__plant").order_by("number"))
        if len(sensors) < len(set(given)):
            find(visible, given, "sensor")  # says which is missing, unless two names mean one
        try:
            return Response(history(sensors, question, now()))
        except RefusedError as error:
            raise ValidationError({error.field: error.detail}) from None
        except TooSlowError:
            raise SlowError from None
