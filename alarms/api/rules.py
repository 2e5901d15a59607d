"""`/rules/`: what is abnormal, for which sensors, and what to do about it."""

from copy import copy
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from alarms.api.filters import RuleFilter
from alarms.models import Rule, RuleVersion
from alarms.models.rules import CLOCK, SCHEDULE_FORM, validate_schedule
from plants.api.serializers import FactorySerializer
from plants.api.views import FactoryViewSet

WHOLE = api_settings.NON_FIELD_ERRORS_KEY
EXAMPLE = OpenApiExample(
    "Every bearing of a zone",
    {
        "plant": "2f9f4d0e-3a8b-4f0e-9a57-6f1f2d9c0b11",
        "zone": "b7a1c9c2-52f5-4f0c-8d55-2d7a1f3f9a10",
        "sensor_type": "temperature",
        "kind": "high",
        "setpoint": 80,
        "deadband": 2,
        "on_delay_s": 10,
        "severity": "high",
        "message": "Bearing is hot",
        "advice": "Look for grease. Stop the machine above 95 °C.",
        "schedule": {"days": [1, 2, 3, 4, 5], "from": "06:00", "to": "22:00"},
    },
    request_only=True,
)


class ChangedMeanwhileError(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "stale_version"


CONFLICT = {
    (409, "application/problem+json"): OpenApiResponse(
        {"$ref": "#/components/schemas/Problem"}, "The rule is not the `version` any more that you read."
    )
}


@extend_schema_field(
    {
        "type": "object",
        "description": f"Empty: always. {SCHEDULE_FORM}",
        "properties": {
            "days": {
                "type": "array",
                "items": {"type": "integer", "minimum": 1, "maximum": 7},
                "minItems": 1,
                "uniqueItems": True,
            },
            "from": {"type": "string", "pattern": f"^({CLOCK.pattern})$"},
            "to": {"type": "string", "pattern": f"^({CLOCK.pattern})$"},
        },
        "additionalProperties": False,
    }
)
class ScheduleField(serializers.JSONField):
    default_validators = [validate_schedule]


class RuleSerializer(FactorySerializer):
    """A condition on one sensor, or on all of a type in a plant, zone or machine, and how bad it is when it holds."""

    schedule = ScheduleField(required=False)
    version = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="Counts up with every change. Sent with a change, it is refused where the rule is another by now.",
    )

    class Meta:
        model = Rule
        fields = (
            "id",
            "plant",
            "zone",
            "machine",
            "sensor",
            "sensor_type",
            "kind",
            "setpoint",
            "reference",
            "deadband",
            "on_delay_s",
            "off_delay_s",
            "severity",
            "message",
            "advice",
            "schedule",
            "is_enabled",
            "version",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("created_at", "updated_at")
        extra_kwargs: dict[str, Any] = {
            "plant": {"required": False, "help_text": "May be left out of a rule on one sensor, which has its plant's."}
        }
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Like its parent's, but a sensor brings its plant with it, and errors of the whole are nobody's field."""
        known = attrs.pop("version", None)
        if self.instance is not None and known not in (None, self.instance.version):
            raise ChangedMeanwhileError(
                f"You read version {known} of the rule, which is at version {self.instance.version} by now."
            )
        candidate = copy(self.instance) if self.instance is not None else Rule()
        asked = attrs.get("plant")
        for name, value in attrs.items():
            setattr(candidate, name, value)
        try:
            candidate.clean()
            candidate.validate_constraints()
        except ModelError as error:
            errors = error.message_dict
            whole = errors.pop(NON_FIELD_ERRORS, None)
            raise serializers.ValidationError(errors | ({WHOLE: whole} if whole else {})) from None
        if asked is not None and asked.pk != candidate.plant_id:
            raise serializers.ValidationError({"sensor": "It belongs to another plant."})
        return attrs | {"plant": candidate.plant}

    def update(self, instance: Rule, validated_data: dict[str, Any]) -> Rule:
        rule: Rule = super().update(instance, validated_data)
        rule.refresh_from_db(fields=("version", "updated_at"))  # by the database's trigger
        return rule


class RuleVersionSerializer(serializers.ModelSerializer[RuleVersion]):
    """A rule as it was from one change to the next."""

    class Meta:
        model = RuleVersion
        fields = ("number", "definition", "created_at")
        read_only_fields = fields
        extra_kwargs: dict[str, Any] = {"definition": {"help_text": "The rule's row, by column."}}


@extend_schema_view(
    create=extend_schema(examples=[EXAMPLE]),
    update=extend_schema(responses={200: RuleSerializer, **CONFLICT}),
    partial_update=extend_schema(responses={200: RuleSerializer, **CONFLICT}),
)
class RuleViewSet(FactoryViewSet):
    """Rules of the plants that you see; operators make and change them."""

    queryset = Rule.objects.all()
    serializer_class = RuleSerializer
    filterset_class = RuleFilter
    search_fields = ("message", "advice", "sensor_type", "sensor__name")
    ordering_fields = ("kind", "severity", "setpoint", "created_at", "updated_at")

    def get_queryset(self) -> QuerySet[Rule]:
        rules = super().get_queryset()
        if self.action in ("update", "partial_update"):
            # What is checked is what is changed. It makes nobody wait who raises an alarm of the rule.
            rules = rules.select_for_update(of=("self",), no_key=True)
        return rules

    @transaction.atomic
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().update(request, *args, **kwargs)

    @extend_schema(operation_id="rules_versions", responses=RuleVersionSerializer(many=True))
    @action(detail=True, filter_backends=[])
    def versions(self, request: Request, pk: str) -> Response:
        """The rule as it was, from its first version to the one that stands. An alarm names the one that raised it."""
        page = self.paginate_queryset(self.get_object().versions.order_by("number"))
        return self.get_paginated_response(RuleVersionSerializer(page, many=True).data)
