"""What people do with an alarm: the bodies of the requests, each of which calls one method of the model."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, TypedDict

from django.db.models import Q, QuerySet
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers, status
from rest_framework.exceptions import APIException

from accounts.models import Role, User
from alarms.models import Actor, Alarm, RefusedError
from alarms.models.alarms import LONGEST_NOTE, LONGEST_SHELF_DAYS
from plants.models import Plant

MOST_AT_ONCE = 500  # about two seconds: each is a transaction of its own
LONGEST_SHELF_MINUTES = LONGEST_SHELF_DAYS * 24 * 60

DONE, ALREADY, REFUSED, NOT_FOUND = RESULTS = ("done", "already", "refused", "not_found")


class ConflictError(APIException):
    """The alarm, as it is by now, does not allow it."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "refused"


CONFLICT = {
    (409, "application/problem+json"): OpenApiResponse(
        {"$ref": "#/components/schemas/Problem"}, "As it is by now, that cannot be done; `detail` says why."
    )
}


class ColleagueField(serializers.PrimaryKeyRelatedField):
    """A user by id: of the plants that one sees, or an admin. Others don't exist."""

    def get_queryset(self) -> QuerySet[User]:
        plants = Plant.objects.visible_to(self.context["request"].user)
        return User.objects.filter(Q(plants__in=plants) | Q(role=Role.ADMIN)).distinct()


class NoteSerializer(serializers.Serializer):
    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NOTE, help_text="Why.")

    def given(self) -> str:
        return str(self.validated_data.get("note", ""))


class AcknowledgeSerializer(NoteSerializer):
    def do(self, alarm: Alarm, by: Actor) -> bool:
        return alarm.acknowledge(by, self.given())


class UnshelveSerializer(NoteSerializer):
    def do(self, alarm: Alarm, by: Actor) -> bool:
        return alarm.unshelve(by, self.given())


class CommentSerializer(serializers.Serializer):
    note = serializers.CharField(max_length=LONGEST_NOTE)

    def do(self, alarm: Alarm, by: Actor) -> bool:
        return alarm.comment(by, self.validated_data["note"])


class ShelveSerializer(serializers.Serializer):
    """Until a time, or for so many minutes from now; one of both."""

    until = serializers.DateTimeField(required=False)
    minutes = serializers.IntegerField(required=False, min_value=1, max_value=LONGEST_SHELF_MINUTES)
    reason = serializers.CharField(max_length=LONGEST_NOTE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("until" in attrs) == ("minutes" in attrs):
            raise serializers.ValidationError({"until": "Say until when, or for how many minutes."}, code="one_end")
        return attrs

    def do(self, alarm: Alarm, by: Actor) -> bool:
        asked = self.validated_data
        until: datetime = asked["until"] if "until" in asked else now() + timedelta(minutes=asked["minutes"])
        return alarm.shelve(by, until, asked["reason"])


class AssignSerializer(NoteSerializer):
    user = ColleagueField(
        pk_field=serializers.UUIDField(), allow_null=True, help_text="Who looks after it; null for nobody."
    )

    def do(self, alarm: Alarm, by: Actor) -> bool:
        return alarm.assign(by, self.validated_data["user"], self.given())


Deed = AcknowledgeSerializer | ShelveSerializer | UnshelveSerializer | CommentSerializer | AssignSerializer

DEEDS: dict[str, type[Deed]] = {
    "ack": AcknowledgeSerializer,
    "shelve": ShelveSerializer,
    "unshelve": UnshelveSerializer,
    "comment": CommentSerializer,
    "assign": AssignSerializer,
}


class BulkSerializer(serializers.Serializer):
    """The same with many alarms: beside `action` and `ids` what the action itself takes."""

    action = serializers.ChoiceField(choices=list(DEEDS))
    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE)
    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NOTE)
    until = serializers.DateTimeField(required=False, help_text="Shelve: this, or `minutes`.")
    minutes = serializers.IntegerField(required=False, min_value=1, max_value=LONGEST_SHELF_MINUTES)
    reason = serializers.CharField(required=False, max_length=LONGEST_NOTE, help_text="Shelve: why.")
    user = serializers.UUIDField(required=False, allow_null=True, help_text="Assign: to whom; null for nobody.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self.deed = DEEDS[attrs["action"]](data=self.initial_data, context=self.context)
        self.deed.is_valid(raise_exception=True)
        return attrs


class Result(TypedDict):
    id: str
    result: str
    detail: str


class ResultSerializer(serializers.Serializer):
    """What came of one alarm. `already`: somebody was quicker, and it is as it was to become."""

    id = serializers.UUIDField()
    result = serializers.ChoiceField(choices=RESULTS)
    detail = serializers.CharField(allow_blank=True, help_text="Why it was refused; else empty.")


def do_to_each(deed: Deed, ids: list[Any], alarms: QuerySet[Alarm], by: Actor) -> Iterator[Result]:
    """Each in a transaction of its own, in the order of the ids, so that one that is refused stops no other."""
    found = {alarm.pk: alarm for alarm in alarms.filter(pk__in=ids)}
    for id in dict.fromkeys(ids):
        result, detail = NOT_FOUND, ""
        try:
            if id in found:
                result = DONE if deed.do(found[id], by) else ALREADY
        except RefusedError as error:
            result, detail = REFUSED, str(error)
        except Alarm.DoesNotExist:  # since then
            pass
        yield {"id": str(id), "result": result, "detail": detail}
