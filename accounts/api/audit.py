"""`/audit/`: who changed what, and what happened to people's access; for admins, also as CSV."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from accounts.api.spreadsheets import CsvRenderer, cell, lines
from accounts.audit import Entry, Filter, Position, entries, sources
from accounts.permissions import AdminsOnly

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
EXPORT_BATCH = 1000  # entries in memory at a time
NEWEST_FIRST, OLDEST_FIRST = "-at", "at"
CSV_COLUMNS = [
    *("id", "at", "actor_id", "actor_email", "action", "object_type", "object_id", "object_label"),
    *("field", "from", "to"),
    *("address", "request_id", "command", "detail"),
]


class ActorSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    email = serializers.CharField(allow_blank=True)


class ObjectSerializer(serializers.Serializer):
    type = serializers.CharField(help_text="Such as `sensor`; security events are about a `user`.")
    id = serializers.UUIDField(allow_null=True, help_text="Null for a sign-in with an unknown email.")
    label = serializers.CharField(  # type: ignore[assignment]  # serializers have a label of their own
        allow_blank=True, help_text="Its name, or the email of a user."
    )


class ChangeSerializer(serializers.Serializer):
    def get_fields(self) -> dict[str, Any]:
        """Not as attributes: `from` is a word of Python."""
        return {
            "field": serializers.CharField(),
            "from": serializers.JSONField(allow_null=True, help_text="Null where there was no value."),
            "to": serializers.JSONField(allow_null=True, help_text="Null where there is no value."),
        }


class EntrySerializer(serializers.Serializer):
    """Something that was done: to the configuration, or to somebody's access."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    actor = ActorSerializer(allow_null=True, help_text="Null for commands, SQL, and whoever had not signed in.")
    action = serializers.CharField(help_text="`created`, `updated`, `deleted`, or a security event such as `login`.")
    object = ObjectSerializer()
    changes = ChangeSerializer(many=True)
    address = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)
    command = serializers.CharField(allow_blank=True, help_text="The manage.py command that did it.")
    detail = serializers.CharField(allow_blank=True)


class AuditPageSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    results = EntrySerializer(many=True)


class QuerySerializer(serializers.Serializer):
    """The query parameters."""

    actor = serializers.UUIDField(required=False, help_text="Who did it: a user's id.")
    action = serializers.CharField(required=False)
    object_type = serializers.ChoiceField(choices=[], required=False)
    object_id = serializers.UUIDField(required=False)
    start = serializers.DateTimeField(required=False, help_text="At or after it.")
    end = serializers.DateTimeField(required=False, help_text="Before it.")
    request_id = serializers.CharField(required=False)
    search = serializers.CharField(required=False, help_text="Part of a name, an email, or any value that was changed.")
    ordering = serializers.ChoiceField(choices=[NEWEST_FIRST, OLDEST_FIRST], default=NEWEST_FIRST)
    page_size = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=PAGE_SIZE)
    cursor = serializers.CharField(required=False, help_text="From `next`.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["object_type"] = serializers.ChoiceField(choices=sorted(sources()), required=False)
        return fields

    def validate_cursor(self, cursor: str) -> Position:
        try:
            return Position.of_cursor(cursor)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None

    def filter(self) -> Filter:
        names = ("actor", "action", "object_type", "object_id", "start", "end", "request_id", "search")
        return Filter(**{name: self.validated_data.get(name) for name in names})


class AuditView(APIView):
    """Everything that was done to the configuration and to people's access, newest first."""

    permission_classes = [AdminsOnly]
    renderer_classes = [*APIView.renderer_classes, CsvRenderer]

    @property
    def throttle_scope(self) -> str | None:
        """A file of everything is not just another page."""
        return "exports" if self.request.accepted_renderer.format == CsvRenderer.format else None

    @extend_schema(
        operation_id="audit_list",
        tags=["audit"],
        parameters=[QuerySerializer, OpenApiParameter("format", enum=["json", "csv"])],
        responses={
            (200, "application/json"): AuditPageSerializer,
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "One line for each changed field; all pages."),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        query = QuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        oldest_first = query.validated_data["ordering"] == OLDEST_FIRST
        if request.accepted_renderer.format == CsvRenderer.format:
            return csv_response(query.filter(), oldest_first=oldest_first)
        limit = query.validated_data["page_size"]
        found = entries(query.filter(), limit + 1, after=query.validated_data.get("cursor"), oldest_first=oldest_first)
        here = request.build_absolute_uri()
        after = replace_query_param(here, "cursor", found[limit - 1].position.cursor()) if len(found) > limit else None
        return Response({"next": after, "results": [as_json(entry) for entry in found[:limit]]})


def as_json(entry: Entry) -> dict[str, Any]:
    actor = {"id": entry.actor_id, "email": entry.actor_label} if entry.actor_id else None
    row = {
        "id": entry.id,
        "at": entry.at,
        "actor": actor,
        "action": entry.action,
        "object": {"type": entry.object_type, "id": entry.object_id, "label": entry.object_label},
        "changes": [{"field": c.field, "from": c.before, "to": c.after} for c in entry.changes],
        "address": entry.address,
        "request_id": entry.request_id,
        "command": entry.command,
        "detail": entry.detail,
    }
    return EntrySerializer(row).data


def csv_response(wanted: Filter, *, oldest_first: bool) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_csv(wanted, oldest_first), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


async def _csv(wanted: Filter, oldest_first: bool) -> AsyncIterator[str]:
    """In batches, so that memory stays bounded; asynchronous, as Django would collect another kind first."""
    yield lines([CSV_COLUMNS])
    after = None
    while True:
        found = await sync_to_async(entries)(wanted, EXPORT_BATCH, after=after, oldest_first=oldest_first)
        if found:
            yield lines(line for entry in found for line in csv_rows(entry))
            after = found[-1].position
        if len(found) < EXPORT_BATCH:
            return


def csv_rows(entry: Entry) -> Iterator[list[str]]:
    """One row for each change, or one for an entry without any."""
    head: list[Any] = [entry.id, entry.at.isoformat(), entry.actor_id, entry.actor_label, entry.action]
    head += [entry.object_type, entry.object_id, entry.object_label]
    tail = [entry.address, entry.request_id, entry.command, entry.detail]
    changes = [[c.field, _text(c.before), _text(c.after)] for c in entry.changes] or [["", "", ""]]
    for change in changes:
        yield [cell(value) for value in [*head, *change, *tail]]


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
