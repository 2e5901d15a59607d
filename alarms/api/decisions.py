"""`/decisions/`: what people decided about alarms and machines, and why; also as CSV."""

from collections.abc import AsyncIterator
from typing import Any, cast

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.db.models import Q, QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings
from rest_framework.viewsets import GenericViewSet

from accounts.api.spreadsheets import CsvRenderer, cell, lines
from accounts.models import User
from accounts.permissions import ReadOrOperate
from alarms.api.filters import DecisionFilter
from alarms.models import Actor, Alarm, Decision, DecisionQuerySet, Source
from alarms.models.decisions import LONGEST_REASON, MOST_SENSORS
from plants.api.fields import VisibleField
from plants.models import Machine

EXPORT_BATCH = 1000  # rows in memory at a time
COLUMNS = (
    "id",
    "at",
    "plant_id",
    "machine_id",
    "alarm_id",
    "sensors",
    "action",
    "reason",
    "user_id",
    "actor",
    "source",
)
EXAMPLE = OpenApiExample(
    "About an alarm",
    {
        "alarm": "5f0c2f1e-3f0e-4d7f-9a57-6f1f2d9c0b11",
        "action": "manual_action",
        "reason": "Opened the damper by hand to 40 %.",
        "sensors": ["4a53ddcd-6b41-4bb7-a7ba-98e4a03a4e55"],
    },
    request_only=True,
)


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """What somebody decided, and why. It is never changed nor removed."""

    class Meta:
        model = Decision
        fields = ("id", "plant", "machine", "alarm", "sensors", "action", "reason", "at", "user", "actor", "source")
        read_only_fields = fields
        extra_kwargs: dict[str, Any] = {
            "machine": {"help_text": "Of an alarm, the one that it is about, if there is one."},
            "actor": {"help_text": "Their name at that time."},
        }


class NewDecisionSerializer(serializers.Serializer):
    """About an alarm or about a machine, one of both."""

    alarm = VisibleField(queryset=Alarm.objects.all(), pk_field=serializers.UUIDField(), required=False)
    machine = VisibleField(
        queryset=Machine.objects.select_related("zone"), pk_field=serializers.UUIDField(), required=False
    )
    action = serializers.ChoiceField(choices=Decision.Action.choices)
    reason = serializers.CharField(max_length=LONGEST_REASON)
    sensors = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=MOST_SENSORS,
        help_text="Of the same plant: whose values before and after may be compared.",
    )

    def create(self, validated_data: dict[str, Any]) -> Decision:
        by = Actor(cast(User, self.context["request"].user), Source.API)
        try:
            return Decision.objects.record(by, **validated_data)
        except ModelError as error:
            whole = api_settings.NON_FIELD_ERRORS_KEY
            errors = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
            raise serializers.ValidationError(
                {whole if field == NON_FIELD_ERRORS else field: texts for field, texts in errors.items()}
            ) from None

    def to_representation(self, instance: Decision) -> dict[str, Any]:
        return DecisionSerializer(instance, context=self.context).data


@extend_schema_view(
    create=extend_schema(request=NewDecisionSerializer, responses={201: DecisionSerializer}, examples=[EXAMPLE])
)
class DecisionViewSet(
    mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.ListModelMixin, GenericViewSet[Decision]
):
    """Decisions of the plants that you see, the newest first. Operators write them; nobody changes or deletes one."""

    permission_classes = [ReadOrOperate]
    queryset = Decision.objects.all()
    filterset_class = DecisionFilter
    search_fields = ("reason", "actor")
    ordering_fields = ("at", "action")

    def get_queryset(self) -> QuerySet[Decision]:
        decisions: Any = super().get_queryset()
        return decisions.visible_to(self.request.user)

    def get_serializer_class(self) -> type[BaseSerializer[Decision]]:
        return NewDecisionSerializer if self.request.method == "POST" else DecisionSerializer

    def get_renderers(self) -> Any:
        """The list alone is also a file."""
        renderers = super().get_renderers()
        return [*renderers, CsvRenderer()] if self.action == "list" else renderers

    @property
    def throttle_scope(self) -> str | None:
        """A file of everything is not just another page."""
        renderer = getattr(self.request, "accepted_renderer", None)
        return "exports" if isinstance(renderer, CsvRenderer) else None

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=["json", "csv"])],
        responses={
            (200, "application/json"): DecisionSerializer(many=True),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "All pages, the newest first."),
        },
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        if isinstance(request.accepted_renderer, CsvRenderer):
            return csv_response(cast(DecisionQuerySet, self.filter_queryset(self.get_queryset())))
        return super().list(request, *args, **kwargs)


def csv_response(decisions: DecisionQuerySet) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_csv(decisions), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="decisions.csv"'
    return response


async def _csv(decisions: DecisionQuerySet) -> AsyncIterator[str]:
    """In batches, so that memory stays bounded; asynchronous, as Django would collect another kind first."""
    yield lines([[*COLUMNS]])
    rest = decisions.order_by("-at", "id")
    while True:
        found = [decision async for decision in rest[:EXPORT_BATCH]]
        if found:
            yield lines(csv_row(decision) for decision in found)
            last = found[-1]
            rest = decisions.filter(Q(at__lt=last.at) | Q(at=last.at, pk__gt=last.pk)).order_by("-at", "id")
        if len(found) < EXPORT_BATCH:
            return


def csv_row(decision: Decision) -> list[str]:
    values = [getattr(decision, column) for column in COLUMNS]
    values[COLUMNS.index("at")] = decision.at.isoformat()
    values[COLUMNS.index("sensors")] = " ".join(map(str, decision.sensors))
    return [cell(value) for value in values]
