"""The topic tester: what ingest would make of a message, by its own stages; nothing is stored."""

import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import ReadOrOperate
from plants.models import Machine, Plant, Sensor
from telemetry.ingest.decode import decode, parse_topic
from telemetry.ingest.resolve import Directory, known_sensors
from telemetry.ingest.validate import validate, window
from telemetry.readings import Message, Reason, Rejected, instant

MAX_TOPIC = 1024  # characters; a topic of four slugs has 280

REQUEST_EXAMPLE = OpenApiExample(
    "A bearing's temperature",
    {"topic": "inqube/v1/kandy/rolling/roller-2/t/bearing-temp", "payload": '{"v": 68.2, "q": "uncertain"}'},
    request_only=True,
)
ANSWER_EXAMPLES = [
    OpenApiExample(
        "It would be stored",
        [
            {
                "address": "kandy/rolling/roller-2/bearing-temp",
                "sensor_id": "4a53ddcd-6b41-4bb7-a7ba-98e4a03a4e55",
                "sensor_number": 17,
                "unit": "°C",
                "timestamp": "2026-11-24T14:31:22.125000Z",
                "value": 68.2,
                "quality": 64,
                "outcome": "stored",
                "reason": None,
                "detail": "",
            }
        ],
        response_only=True,
    ),
    OpenApiExample(
        "A decimal comma",
        [
            {
                "address": "inqube/v1/kandy/rolling/roller-2/t/bearing-temp",
                "sensor_id": None,
                "sensor_number": None,
                "unit": None,
                "timestamp": None,
                "value": None,
                "quality": None,
                "outcome": "rejected",
                "reason": "invalid_json",
                "detail": "The value is 68,2: the device sends a decimal comma. Send a point.",
            }
        ],
        response_only=True,
    ),
]


class MessageSerializer(serializers.Serializer):
    """A message as a device would publish it."""

    topic = serializers.CharField(max_length=MAX_TOPIC, trim_whitespace=False)
    payload = serializers.CharField(allow_blank=True, trim_whitespace=False, help_text="The body, as text.")


class TestedSampleSerializer(serializers.Serializer):
    """A sample of the message, or the message where it cannot be taken apart, and what would become of it."""

    address = serializers.CharField(help_text="plant/zone/machine/sensor; the topic where the message is refused.")
    sensor_id = serializers.UUIDField(allow_null=True, help_text="Null where there is no such sensor.")
    sensor_number = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField(allow_null=True)
    timestamp = serializers.DateTimeField(allow_null=True, help_text="UTC; the time of arrival if `ts` is missing.")
    value = serializers.FloatField(allow_null=True, help_text="The number that would be stored.")
    quality = serializers.IntegerField(
        allow_null=True, help_text="OPC DA: 192 and above good, 64 to 191 uncertain, below 64 bad."
    )
    outcome = serializers.ChoiceField(choices=["stored", "rejected"])
    reason = serializers.ChoiceField(
        choices=[str(reason) for reason in Reason], allow_null=True, help_text="Why it would be rejected."
    )
    detail = serializers.CharField(help_text="The reason in words, with what to do; empty if it would be stored.")


class TestView(APIView):
    """Test a topic and a payload: which samples ingest would find in them, and what it would store or why not.

    Nothing is stored. Only sensors that exist for you are found.
    """

    permission_classes = [ReadOrOperate]
    serializer_class = MessageSerializer

    @extend_schema(
        operation_id="telemetry_test",
        tags=["telemetry"],
        request=MessageSerializer,
        responses=TestedSampleSerializer(many=True),
        examples=[REQUEST_EXAMPLE, *ANSWER_EXAMPLES],
    )
    def post(self, request: Request) -> Response:
        body = MessageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        topic, payload = body.validated_data["topic"], body.validated_data["payload"]
        message = Message(topic, payload.encode(), time.time_ns() // 1000, None)
        tested = examine(message, request.user, settings.RAW_RETENTION_DAYS)
        return Response(TestedSampleSerializer(tested, many=True).data)


def examine(message: Message, user: User | AnonymousUser, retention_days: int) -> list[dict[str, Any]]:
    """What stages 2 to 4 of ingest make of the message, if there were only what exists for the user."""
    sensors, directory = _around(message.topic, user)
    facts = {sensor.number: sensor for sensor in sensors}
    accepted = window(message.received_us, retention_days)
    samples, rejected = decode(message)
    found: list[dict[str, Any]] = []
    for sample in samples:
        address, time_us, _, quality = sample
        known = directory.sensors.get(address)
        result = validate(sample, known, accepted) if known else directory.unknown(address)
        found.append(_outcome(result, address) | {"timestamp": _moment(time_us), "quality": quality})
        if known:
            sensor = facts[known.number]
            found[-1] |= {"sensor_id": sensor.pk, "sensor_number": sensor.number, "unit": sensor.unit}
    return found + [_outcome(each, each.source) for each in rejected]


def _around(topic: str, user: User | AnonymousUser) -> tuple[list[Sensor], Directory]:
    """The sensors of the machine that a topic names, and a directory of no more than these and its plant."""
    parsed = parse_topic(topic)
    machine = parsed[0] if parsed else ""
    sensors = Sensor.objects.visible_to(user).filter(machine__in=Machine.objects.named([machine]))
    plants = Plant.objects.visible_to(user).named([machine.partition("/")[0]])
    return list(sensors), Directory(known_sensors(sensors), dict(plants.values_list("slug", "pk")))


def _outcome(result: Any, address: str) -> dict[str, Any]:
    answer: dict[str, Any] = dict.fromkeys(TestedSampleSerializer().fields) | {"address": address}
    if isinstance(result, Rejected):
        return answer | {"outcome": "rejected", "reason": str(result.reason), "detail": result.detail}
    return answer | {"outcome": "stored", "detail": "", "value": result[2]}


def _moment(time_us: int) -> datetime | None:
    """None for a time that no calendar has."""
    try:
        return instant(time_us)
    except OverflowError:
        return None
