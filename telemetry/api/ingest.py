"""`POST /telemetry/`: readings over HTTP, answered when they are committed."""

import time
from collections.abc import Mapping
from functools import cache
from typing import IO, Any, cast

import psycopg
import structlog
from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts import throttles
from accounts.models import User
from accounts.tokens import TokenAuthentication
from plants.api.device_authentication import DeviceAuthentication
from plants.models import Plant, Sensor
from plants.models.devices import Device
from telemetry.api.renderers import QUICK_RENDERERS
from telemetry.ingest.decode import MAX_PAYLOAD_BYTES
from telemetry.ingest.http import Sender, ingest
from telemetry.ingest.letters import Quota
from telemetry.ingest.quarantine import Room
from telemetry.ingest.validate import window
from telemetry.readings import Reason, Rejected

EXAMPLES = [
    OpenApiExample(
        "Two readings",
        [
            {"sensor": "kandy/rolling/roller-2/bearing-temp", "v": 68.2, "ts": "2026-11-24T14:31:22.125Z"},
            {"sensor": "kandy/rolling/roller-2/speed", "v": 1480, "ts": 1795530682125, "q": "uncertain"},
        ],
        request_only=True,
    ),
    OpenApiExample(
        "One is stored, one is not",
        {
            "received": 2,
            "stored": 1,
            "duplicate": 0,
            "conflict": 0,
            "rejected": [
                {
                    "index": 1,
                    "reason": "unknown_sensor",
                    "detail": "There is no sensor kandy/rolling/roller-2/speed. Add it, or correct the topic.",
                }
            ],
        },
        response_only=True,
    ),
]

log = structlog.get_logger("inqube.ingest.http")


class NotStoredError(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database is away or busy. Send the same readings again: those that are stored count once."
    default_code = "not_stored"
    wait = 5  # Retry-After


class TooLargeError(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The body may have {MAX_PAYLOAD_BYTES:,} bytes at most. Send smaller ones."
    default_code = str(Reason.TOO_LARGE)


class SampleSerializer(serializers.Serializer):
    """A reading as it is sent; as in MQTT, but for the sensor's address."""

    sensor = serializers.CharField(help_text="plant/zone/machine/sensor")
    v = serializers.JSONField(help_text="A number, true or false, or the label of a state.")
    ts = serializers.JSONField(
        required=False, help_text="Milliseconds since 1970 UTC, or ISO 8601 with an offset; by default now."
    )
    q = serializers.JSONField(required=False, help_text='0 to 255 (OPC DA), "good" (the default), "uncertain", "bad".')


class RejectedSampleSerializer(serializers.Serializer):
    index = serializers.IntegerField(help_text="In the list that was sent, from 0.")
    reason = serializers.ChoiceField(choices=[str(reason) for reason in Reason])
    detail = serializers.CharField(help_text="In words, with what to do.")


class AnswerSerializer(serializers.Serializer):
    """received = stored + duplicate + conflict + the number of rejected."""

    received = serializers.IntegerField()
    stored = serializers.IntegerField(help_text="New ones.")
    duplicate = serializers.IntegerField(help_text="There already, with the same value and quality.")
    conflict = serializers.IntegerField(help_text="There already with another value; see `duplicate_policy`.")
    rejected = RejectedSampleSerializer(many=True)


class BytesParser(BaseParser):
    """The body as it is, and a byte more than it may have: decoding is ingest's."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return stream.read(MAX_PAYLOAD_BYTES + 1)


class DevicesAndOperators(BasePermission):
    message = "Only devices, operators and admins send readings."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Device) or (request.user.is_authenticated and request.user.may_operate)


class SenderThrottle(BaseThrottle):
    """By device, for many come from one address; else by user."""

    seconds: int | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        who = request.auth if isinstance(request.auth, Device) else request.user
        self.seconds = throttles.ledger.wait_s("ingest", str(who.pk))
        return self.seconds is None

    def wait(self) -> float | None:
        return self.seconds


class IngestView(APIView):
    """Send readings. The answer comes when they are committed; sent again, each still counts once.

    What cannot be stored is told with its reason, and does not keep the others from being stored. A device sends for
    its part of the plant, operators for sensors of their plants.
    """

    authentication_classes = [DeviceAuthentication, TokenAuthentication, SessionAuthentication]
    permission_classes = [DevicesAndOperators]
    throttle_classes = [SenderThrottle]
    parser_classes = [BytesParser]
    renderer_classes = QUICK_RENDERERS

    @extend_schema(
        operation_id="telemetry_ingest",
        tags=["telemetry"],
        request=SampleSerializer(many=True),
        responses=AnswerSerializer,
        examples=EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        payload = request.data if isinstance(request.data, bytes) else b""  # without a body DRF asks no parser
        received_us = time.time_ns() // 1000
        accepted = window(received_us, settings.RAW_RETENTION_DAYS)
        try:
            answer = ingest(payload, sender_of(request), received_us, accepted, quota(), Room.of_settings())
        except psycopg.Error as error:
            log.error("readings not stored", error=str(error).strip() or type(error).__name__)
            raise NotStoredError from None
        if isinstance(answer, Rejected):
            if answer.reason is Reason.TOO_LARGE:
                raise TooLargeError
            raise ValidationError(answer.detail, code=str(answer.reason))
        return Response(answer)


@cache
def quota() -> Quota:
    """One of this process: what is beyond is only counted."""
    return Quota(settings.DEAD_LETTERS_PER_SOURCE_MINUTE)


def sender_of(request: Request) -> Sender:
    device = request.auth
    if isinstance(device, Device):
        plants = Plant.objects.filter(pk=device.plant_id)
        sensors = Sensor.objects.filter(machine__zone__plant__in=plants)
        plant = device.plant.slug
        return Sender(f"{plant}/{device.name}", plant, sensors, plants, device.root)
    user = cast(User, request.user)
    return Sender(user.email, "", Sensor.objects.visible_to(user), Plant.objects.visible_to(user), "")
