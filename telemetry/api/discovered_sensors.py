"""`/discovered-sensors/`: what devices send for sensors that nobody has made, to be adopted or ignored."""

from collections import Counter
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.db import models
from django.db.models import QuerySet
from django.utils.timezone import now
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.models import User
from plants.api.fields import FiniteFloatField
from plants.api.filters import ParentFilter
from plants.models import Plant, Sensor
from telemetry.adopt import MAX_ADOPTED, Adoption, Refused, adopt, adopt_many, guess_of
from telemetry.api.dead_letters import OperatorsOnly
from telemetry.models import DiscoveredSensor, QuarantinedSample

SHOWN_SAMPLES = 20


class DiscoveredSensorSerializer(serializers.ModelSerializer[DiscoveredSensor]):
    count = serializers.IntegerField(help_text="Samples that came; one that is delivered twice counts twice.")
    kept = serializers.IntegerField(help_text="Samples in the quarantine, which adopting stores.")
    not_kept = serializers.IntegerField(
        help_text="Samples that are lost but for their dead letters: the quarantine was full, or the address ignored."
    )
    last_value = serializers.FloatField(allow_null=True, help_text="Null where the newest sample has a label.")

    class Meta:
        model = DiscoveredSensor
        fields: tuple[str, ...] = (
            *("id", "plant", "address", "state", "first_seen", "last_seen", "count", "kept", "not_kept"),
            *("last_time", "last_value", "last_label", "last_quality", "sensor", "decided_at", "decided_by"),
        )
        read_only_fields = fields


class QuarantinedSampleSerializer(serializers.Serializer):
    timestamp = serializers.DateTimeField(source="time")
    value = serializers.FloatField(allow_null=True)
    label = serializers.CharField(  # type: ignore[assignment]  # fields have a label of their own
        allow_null=True
    )
    quality = serializers.IntegerField()


class ChosenFieldsSerializer(serializers.ModelSerializer[Sensor]):
    """What is to be otherwise than guessed; the sensor itself is checked when it is made."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.FloatField: FiniteFloatField,
    }

    class Meta:
        model = Sensor
        fields = (
            *("name", "type", "unit", "kind", "states", "decimals", "low", "high", "rollover_at"),
            *("expected_interval_s", "stale_after_s", "duplicate_policy"),
        )
        extra_kwargs = {"name": {"required": False}}


class GuessSerializer(serializers.Serializer):
    """What the sensor would be if it were adopted now."""

    name = serializers.CharField()
    type = serializers.CharField(allow_blank=True)
    unit = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(choices=Sensor.Kind.choices)
    states = serializers.DictField(child=serializers.CharField())
    decimals = serializers.IntegerField()
    expected_interval_s = serializers.FloatField(allow_null=True)
    stale_after_s = serializers.FloatField()


class WholeDiscoveredSensorSerializer(DiscoveredSensorSerializer):
    """With the sensor that it is guessed to be, and the newest of its samples in the quarantine."""

    guess = serializers.SerializerMethodField()
    samples = serializers.SerializerMethodField(help_text=f"The newest, {SHOWN_SAMPLES} at most.")

    class Meta(DiscoveredSensorSerializer.Meta):
        fields = (*DiscoveredSensorSerializer.Meta.fields, "guess", "samples")

    @extend_schema_field(GuessSerializer)
    def get_guess(self, discovered: DiscoveredSensor) -> Any:
        return GuessSerializer(guess_of(discovered)).data

    @extend_schema_field(QuarantinedSampleSerializer(many=True))
    def get_samples(self, discovered: DiscoveredSensor) -> Any:
        samples = QuarantinedSample.objects.filter(discovered=discovered.number).order_by("-time")[:SHOWN_SAMPLES]
        return QuarantinedSampleSerializer(samples, many=True).data


class AdoptionSerializer(serializers.Serializer):
    """The sensor, and what became of the quarantine: what is rejected stays there."""

    sensor = serializers.UUIDField(source="sensor.pk")
    number = serializers.IntegerField(source="sensor.number")
    address = serializers.CharField(source="discovered.address")
    is_new = serializers.BooleanField(help_text="False where the sensor was there already.")
    stored = serializers.IntegerField(help_text="Readings.")
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    rejected = serializers.DictField(child=serializers.IntegerField(), help_text="Samples that stay, by reason.")
    dead_letters = serializers.IntegerField(source="letters", help_text="Dead letters that this has settled.")


class ChosenEntriesSerializer(serializers.Serializer):
    """Which entries: those with these ids, or all new ones of a plant."""

    ids = serializers.ListField(child=serializers.UUIDField(), required=False, min_length=1, max_length=MAX_ADOPTED)
    plant = serializers.CharField(required=False, help_text="UUID or slug.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Name ids or a plant.")
        return attrs

    def chosen_from(self, entries: QuerySet[DiscoveredSensor]) -> QuerySet[DiscoveredSensor]:
        """The new ones among them."""
        asked = self.validated_data
        entries = entries.filter(state=DiscoveredSensor.State.NEW).order_by("address")
        if "ids" in asked:
            entries = entries.filter(pk__in=asked["ids"])
        if "plant" in asked:
            entries = entries.filter(plant__in=Plant.objects.named([asked["plant"]]))
        return entries


class RefusedSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="discovered.pk")
    address = serializers.CharField(source="discovered.address")
    detail = serializers.CharField()


class AdoptedSerializer(serializers.Serializer):
    """What became of many entries."""

    adopted = serializers.IntegerField(help_text="Entries.")
    stored = serializers.IntegerField(help_text="Readings.")
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    rejected = serializers.DictField(child=serializers.IntegerField(), help_text="Samples that stay, by reason.")
    refused = RefusedSerializer(many=True, help_text="Entries of which no sensor could be made as it is guessed.")
    has_more = serializers.BooleanField(help_text=f"Ask again: {MAX_ADOPTED} are adopted at a time.")


class IgnoredSerializer(serializers.Serializer):
    ignored = serializers.IntegerField()


class DiscoveredSensorFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "plant")
    state = filters.MultipleChoiceFilter(
        choices=DiscoveredSensor.State.choices, help_text="Repeatable; only what is new without it."
    )

    class Meta:
        model = DiscoveredSensor
        fields = ("address",)


class DiscoveredSensorViewSet(ReadOnlyModelViewSet):
    """Unknown sensors that devices send for, in the plants that you operate."""

    permission_classes = [OperatorsOnly]
    queryset = DiscoveredSensor.objects.all()
    filterset_class = DiscoveredSensorFilter
    search_fields = ("address", "last_label")
    ordering_fields = ("address", "first_seen", "last_seen", "count", "kept")

    def get_queryset(self) -> QuerySet[DiscoveredSensor]:
        entries = DiscoveredSensor.objects.visible_to(self.request.user)
        return entries.new() if self.action == "list" and "state" not in self.request.GET else entries

    def get_serializer_class(self) -> type[DiscoveredSensorSerializer]:
        return DiscoveredSensorSerializer if self.action == "list" else WholeDiscoveredSensorSerializer

    @extend_schema(request=ChosenFieldsSerializer, responses=AdoptionSerializer)
    @action(detail=True, methods=["post"], url_path="adopt")
    def adopt(self, request: Request, pk: str) -> Response:
        """Make the sensor, with zone and machine where they are missing, and store what is quarantined.

        Fields that the body names are taken from there, the others are guessed. A sensor that is there already stays
        as it is. Repeating it does no harm: what was refused is tried again.
        """
        chosen = ChosenFieldsSerializer(data=request.data)
        chosen.is_valid(raise_exception=True)
        try:
            done = adopt(self.get_object(), _user(request), now(), settings.RAW_RETENTION_DAYS, chosen.validated_data)
        except ModelError as error:
            raise serializers.ValidationError(_by_field(error)) from None
        return Response(AdoptionSerializer(done).data)

    @extend_schema(request=None, responses=WholeDiscoveredSensorSerializer)
    @action(detail=True, methods=["post"], url_path="ignore")
    def ignore(self, request: Request, pk: str) -> Response:
        """Say that nobody wants it: its samples go on being counted, but are kept no longer. Only of what is new."""
        entry: DiscoveredSensor = self.get_object()
        entry.ignore(_user(request), now())
        entry.refresh_from_db()
        return Response(self.get_serializer(entry).data)

    @extend_schema(request=None, responses=WholeDiscoveredSensorSerializer)
    @action(detail=True, methods=["post"], url_path="unignore")
    def unignore(self, request: Request, pk: str) -> Response:
        """Take that back: from now on samples are kept again."""
        entry: DiscoveredSensor = self.get_object()
        entry.unignore(_user(request), now())
        entry.refresh_from_db()
        return Response(self.get_serializer(entry).data)

    @extend_schema(
        operation_id="discovered_sensors_adopt_many",
        request=ChosenEntriesSerializer,
        responses=AdoptedSerializer,
    )
    @action(detail=False, methods=["post"], url_path="adopt", filter_backends=[], pagination_class=None)
    def adopt_chosen(self, request: Request) -> Response:
        """Adopt the new ones with these ids or of a plant, as they are guessed."""
        entries = list(self._chosen(request)[: MAX_ADOPTED + 1])
        done, refused = adopt_many(entries[:MAX_ADOPTED], _user(request), now(), settings.RAW_RETENTION_DAYS)
        return Response(AdoptedSerializer(_summary(done, refused, has_more=len(entries) > MAX_ADOPTED)).data)

    @extend_schema(
        operation_id="discovered_sensors_ignore_many",
        request=ChosenEntriesSerializer,
        responses=IgnoredSerializer,
    )
    @action(detail=False, methods=["post"], url_path="ignore", filter_backends=[], pagination_class=None)
    def ignore_chosen(self, request: Request) -> Response:
        """Ignore the new ones with these ids or of a plant."""
        ids = self._chosen(request).order_by().values("pk")
        return Response({"ignored": DiscoveredSensor.objects.filter(pk__in=ids).ignore(_user(request), now())})

    def _chosen(self, request: Request) -> QuerySet[DiscoveredSensor]:
        body = ChosenEntriesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return body.chosen_from(self.get_queryset())


def _user(request: Request) -> User:
    return cast(User, request.user)


def _by_field(error: ModelError) -> dict[str, list[str]]:
    return {"detail" if field == NON_FIELD_ERRORS else field: texts for field, texts in error.message_dict.items()}


def _summary(done: list[Adoption], refused: list[Refused], has_more: bool) -> dict[str, Any]:
    return {
        "adopted": len(done),
        "stored": sum(each.stored for each in done),
        "duplicate": sum(each.duplicate for each in done),
        "conflict": sum(each.conflict for each in done),
        "rejected": sum((each.rejected for each in done), Counter()),
        "refused": refused,
        "has_more": has_more,
    }
