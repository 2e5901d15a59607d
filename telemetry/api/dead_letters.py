"""`/dead-letters/`: what could not become a reading, to be looked at, replayed after the fix, or discarded."""

from base64 import b64encode
from collections import Counter
from typing import Any, cast

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.timezone import now
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.models import User
from plants.api.filters import ParentFilter
from plants.models import Plant
from telemetry.models import DeadLetter
from telemetry.readings import Reason
from telemetry.replay import MAX_REPLAYED, Outcome, replay, summary


class OperatorsOnly(BasePermission):
    message = "Only admins and operators may do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_authenticated and request.user.may_operate


class DeadLetterSerializer(serializers.ModelSerializer[DeadLetter]):
    class Meta:
        model = DeadLetter
        fields: tuple[str, ...] = (
            *("id", "received_at", "source", "topic", "plant", "address", "reason", "detail", "samples", "seen"),
            *("payload_bytes", "is_truncated", "state", "decided_at", "decided_by"),
        )
        read_only_fields = fields


class WholeDeadLetterSerializer(DeadLetterSerializer):
    """With the payload, as text (what is not UTF-8 replaced) and as it came."""

    payload = serializers.SerializerMethodField()
    payload_base64 = serializers.SerializerMethodField()

    class Meta(DeadLetterSerializer.Meta):
        fields = (*DeadLetterSerializer.Meta.fields, "payload", "payload_base64")

    def get_payload(self, letter: DeadLetter) -> str:
        return bytes(letter.payload).decode(errors="replace")

    def get_payload_base64(self, letter: DeadLetter) -> str:
        return b64encode(letter.payload).decode()


class StillRejectedSerializer(serializers.Serializer):
    address = serializers.CharField(help_text="Of the sample; the topic where the whole message is refused.")
    reason = serializers.ChoiceField(choices=[str(reason) for reason in Reason])
    detail = serializers.CharField()

    def to_representation(self, rejected: Any) -> dict[str, str]:
        return {"address": rejected.source, "reason": str(rejected.reason), "detail": rejected.detail}


class OutcomeSerializer(serializers.Serializer):
    """What became of a letter. It stays `new` while something of it is refused; what could be stored is stored."""

    id = serializers.UUIDField(source="letter.pk")
    state = serializers.ChoiceField(choices=DeadLetter.State.choices)
    stored = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    rejected = StillRejectedSerializer(many=True)
    detail = serializers.CharField(allow_blank=True, help_text="Why nothing was tried; else empty.")


class ChosenSerializer(serializers.Serializer):
    """Which letters: those with these ids, or all new ones that match."""

    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, max_length=MAX_REPLAYED, help_text="Of letters."
    )
    reason = serializers.ChoiceField(choices=[str(reason) for reason in Reason], required=False)
    plant = serializers.CharField(required=False, help_text="UUID or slug.")
    source = serializers.CharField(  # type: ignore[assignment]  # fields have a source of their own
        required=False, help_text="plant/zone/machine."
    )
    after = serializers.UUIDField(required=False, help_text="`next` of the answer before; of replays only.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() - {"after"}:
            raise serializers.ValidationError("Name ids, or a reason, a plant or a source.")
        return attrs

    def chosen_from(self, letters: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
        """The new ones among them, oldest first."""
        asked = self.validated_data
        letters = letters.filter(state=DeadLetter.State.NEW).order_by("received_at", "id")
        if "ids" in asked:
            letters = letters.filter(pk__in=asked["ids"])
        if "reason" in asked:
            letters = letters.filter(reason=asked["reason"])
        if "plant" in asked:
            letters = letters.filter(plant__in=Plant.objects.named([asked["plant"]]))
        if "source" in asked:
            letters = letters.filter(source=asked["source"])
        if "after" in asked:
            last = DeadLetter.objects.filter(pk=asked["after"]).values_list("received_at", flat=True).first()
            if last is None:
                raise serializers.ValidationError({"after": "There is no such letter any more. Begin anew."})
            letters = letters.filter(Q(received_at__gt=last) | Q(received_at=last, pk__gt=asked["after"]))
        return letters


class BulkOutcomeSerializer(serializers.Serializer):
    """What became of many letters; those that stayed new are counted by what is refused of them."""

    replayed = serializers.IntegerField(help_text="Letters that are done.")
    kept = serializers.IntegerField(help_text="Letters that stay new.")
    stored = serializers.IntegerField(help_text="Readings.")
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    rejected = serializers.DictField(child=serializers.IntegerField(), help_text="Samples still refused, by reason.")
    next = serializers.UUIDField(allow_null=True, help_text="Ask again with it as `after` for more; null at the end.")


class DiscardedSerializer(serializers.Serializer):
    discarded = serializers.IntegerField()


class DeadLetterFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "plant")

    class Meta:
        model = DeadLetter
        fields = ("reason", "source", "state")


class DeadLetterViewSet(ReadOnlyModelViewSet):
    """Dead letters of the plants that you operate; admins also see those of no plant."""

    permission_classes = [OperatorsOnly]
    queryset = DeadLetter.objects.all()
    filterset_class = DeadLetterFilter
    search_fields = ("topic", "address", "detail")
    ordering_fields = ("received_at", "reason", "source", "samples", "seen")

    def get_queryset(self) -> QuerySet[DeadLetter]:
        letters = DeadLetter.objects.visible_to(self.request.user)
        return letters.defer("payload") if self.action == "list" else letters

    def get_serializer_class(self) -> type[DeadLetterSerializer]:
        return DeadLetterSerializer if self.action == "list" else WholeDeadLetterSerializer

    @extend_schema(request=None, responses=OutcomeSerializer)
    @action(detail=True, methods=["post"], url_path="replay")
    def replay(self, request: Request, pk: str) -> Response:
        """Send the message through ingest once more. Repeating it does no harm."""
        (outcome,) = _replayed([self.get_object()], request)
        return Response(OutcomeSerializer(outcome).data)

    @extend_schema(request=None, responses=WholeDeadLetterSerializer)
    @action(detail=True, methods=["post"], url_path="discard")
    def discard(self, request: Request, pk: str) -> Response:
        """Mark it as not worth mending; retention removes it. A letter that was replayed stays so."""
        letter: DeadLetter = self.get_object()
        letter.discard(cast(User, request.user), now())
        letter.refresh_from_db()
        return Response(self.get_serializer(letter).data)

    @extend_schema(operation_id="dead_letters_replay_many", request=ChosenSerializer, responses=BulkOutcomeSerializer)
    @action(detail=False, methods=["post"], url_path="replay", filter_backends=[], pagination_class=None)
    def replay_many(self, request: Request) -> Response:
        """Replay the letters with these ids, or all new ones that match: the oldest 1,000, and `next` goes on."""
        chosen = self._chosen(request)[: MAX_REPLAYED + 1]
        letters = list(chosen)
        outcomes = _replayed(letters[:MAX_REPLAYED], request)
        return Response(_summary(outcomes, has_more=len(letters) > MAX_REPLAYED))

    @extend_schema(operation_id="dead_letters_discard_many", request=ChosenSerializer, responses=DiscardedSerializer)
    @action(detail=False, methods=["post"], url_path="discard", filter_backends=[], pagination_class=None)
    def discard_many(self, request: Request) -> Response:
        """Discard the letters with these ids, or all new ones that match."""
        ids = self._chosen(request).order_by().values("pk")
        discarded = DeadLetter.objects.filter(pk__in=ids).discard(cast(User, request.user), now())
        return Response({"discarded": discarded})

    def _chosen(self, request: Request) -> QuerySet[DeadLetter]:
        body = ChosenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return body.chosen_from(self.get_queryset())


def _replayed(letters: list[DeadLetter], request: Request) -> list[Outcome]:
    return list(replay(letters, cast(User, request.user), now(), settings.RAW_RETENTION_DAYS))


def _summary(outcomes: list[Outcome], has_more: bool) -> dict[str, Any]:
    done = summary(outcomes)
    return done._asdict() | {
        "kept": len(done.kept),
        "rejected": Counter(str(rejected.reason) for each in outcomes for rejected in each.rejected),
        "next": outcomes[-1].letter.pk if has_more else None,
    }
