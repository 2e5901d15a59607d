"""`/decisions/{id}/effect/`: what the sensors that a decision names did before and after it."""

from datetime import timedelta
from uuid import UUID

from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alarms.models import Decision
from plants.models import Sensor
from telemetry.api.views import SlowError
from telemetry.queries.effects import effects
from telemetry.queries.history.limited import TooSlowError

LONGEST_HOURS = 7 * 24


class EffectQuery(serializers.Serializer):
    hours = serializers.IntegerField(min_value=1, max_value=LONGEST_HOURS, default=4, help_text="Before, and after.")


class WindowSerializer(serializers.Serializer):
    readings = serializers.IntegerField(help_text="Of any quality; the rest is about the good ones.")
    percent_good = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    min = serializers.FloatField(allow_null=True)
    max = serializers.FloatField(allow_null=True)


class SensorEffectSerializer(serializers.Serializer):
    sensor = serializers.UUIDField()
    address = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    before = WindowSerializer()
    after = WindowSerializer()


class EffectSerializer(serializers.Serializer):
    """What there is no reading of is null."""

    decision = serializers.UUIDField()
    at = serializers.DateTimeField()
    hours = serializers.IntegerField()
    complete = serializers.BooleanField(help_text="Whether the hours after it are over.")
    sensors = SensorEffectSerializer(many=True)


class EffectView(APIView):
    """How the sensors that a decision names were in the hours before it, and are in the same hours after it."""

    @extend_schema(
        operation_id="decisions_effect", tags=["decisions"], parameters=[EffectQuery], responses=EffectSerializer
    )
    def get(self, request: Request, pk: UUID) -> Response:
        query = EffectQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        decision = Decision.objects.visible_to(request.user).filter(pk=pk).first()
        if decision is None:
            raise NotFound
        length = timedelta(hours=query.validated_data["hours"])
        visible = Sensor.objects.visible_to(request.user).select_related("machine__zone__plant")
        sensors = visible.in_bulk(decision.sensors)
        named = [sensors[key] for key in decision.sensors if key in sensors]
        try:
            found = effects(named, decision.at, length)
        except TooSlowError:
            raise SlowError from None
        answer = {
            "decision": decision.pk,
            "at": decision.at,
            "hours": query.validated_data["hours"],
            "complete": decision.at + length <= now(),
            "sensors": found,
        }
        return Response(EffectSerializer(answer).data)
