"""`/telemetry/test`: the topic tester as an API call."""

import time

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import ReadOrOperate
from telemetry.ingest.validate import window
from telemetry.readings import Message, Reason
from telemetry.tester import MAX_TOPIC, examine

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
    sensor_id = serializers.UUIDField(
        source="sensor.pk", allow_null=True, help_text="Null where there is no such sensor."
    )
    sensor_number = serializers.IntegerField(source="sensor.number", allow_null=True)
    unit = serializers.CharField(source="sensor.unit", allow_null=True)
    timestamp = serializers.DateTimeField(
        source="time", allow_null=True, help_text="UTC; the time of arrival if `ts` is missing."
    )
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
        now_us = time.time_ns() // 1000
        message = Message(topic, payload.encode(), now_us, None)
        tested = examine(message, request.user, window(now_us, settings.RAW_RETENTION_DAYS))
        return Response(TestedSampleSerializer(tested, many=True).data)
