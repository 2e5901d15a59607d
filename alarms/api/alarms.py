"""`/alarms/`: what calls for somebody, what people do about it, and the journal of both."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.models import User
from accounts.permissions import ReadOrOperate
from alarms.api import deeds
from alarms.api.filters import AlarmFilter
from alarms.api.serializers import AlarmEventSerializer, AlarmSerializer
from alarms.models import Actor, Alarm, RefusedError, Source

BULK = [
    OpenApiExample(
        "Acknowledge two",
        {
            "action": "ack",
            "ids": ["5f0c2f1e-3f0e-4d7f-9a57-6f1f2d9c0b11", "0b9c2d1f-6f57-4a8e-9b11-2f9f4d0e3a8b"],
            "note": "Fitter is on the way.",
        },
        request_only=True,
    )
]


def acts(body: type[deeds.Deed]) -> Any:
    return extend_schema(request=body, responses={200: AlarmSerializer, **deeds.CONFLICT})


class AlarmViewSet(ReadOnlyModelViewSet[Alarm]):
    """Alarms of the plants that you see, the newest first. Operators act on them; nobody makes or deletes them."""

    permission_classes = [ReadOrOperate]
    queryset = Alarm.objects.with_words()
    serializer_class = AlarmSerializer
    filterset_class = AlarmFilter
    search_fields = ("title",)
    ordering_fields = ("raised_at", "rank", "closed_at")

    def get_queryset(self) -> QuerySet[Alarm]:
        alarms: Any = super().get_queryset()
        return alarms.visible_to(self.request.user)

    @acts(deeds.AcknowledgeSerializer)
    @action(detail=True, methods=["post"])
    def ack(self, request: Request, pk: str) -> Response:
        """Somebody has seen it. Where somebody was quicker, the answer says who."""
        return self._do(deeds.AcknowledgeSerializer)

    @acts(deeds.ShelveSerializer)
    @action(detail=True, methods=["post"])
    def shelve(self, request: Request, pk: str) -> Response:
        """It calls nobody for a while, also if it clears and comes again."""
        return self._do(deeds.ShelveSerializer)

    @acts(deeds.UnshelveSerializer)
    @action(detail=True, methods=["post"])
    def unshelve(self, request: Request, pk: str) -> Response:
        """It calls again; nothing happens where it is not shelved."""
        return self._do(deeds.UnshelveSerializer)

    @acts(deeds.CommentSerializer)
    @action(detail=True, methods=["post"])
    def comment(self, request: Request, pk: str) -> Response:
        """Something worth knowing, also after it has closed."""
        return self._do(deeds.CommentSerializer)

    @acts(deeds.AssignSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """Who looks after it: somebody who operates its plant, or nobody."""
        return self._do(deeds.AssignSerializer)

    @extend_schema(
        operation_id="alarms_bulk",
        request=deeds.BulkSerializer,
        responses=deeds.ResultSerializer(many=True),
        examples=BULK,
    )
    @action(detail=False, methods=["post"], filter_backends=[], pagination_class=None)
    def bulk(self, request: Request) -> Response:
        """One action on up to 500 alarms, each for itself; the answer says what came of each."""
        body = deeds.BulkSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        alarms = Alarm.objects.visible_to(request.user)
        return Response(list(deeds.do_to_each(body.deed, body.validated_data["ids"], alarms, self._actor())))

    @extend_schema(operation_id="alarms_events", responses=AlarmEventSerializer(many=True))
    @action(detail=True, filter_backends=[])
    def events(self, request: Request, pk: str) -> Response:
        """The alarm's journal: what happened to it, in order."""
        events: Any = self.get_object().events.order_by("id")
        page: Any = self.paginate_queryset(events)
        return self.get_paginated_response(AlarmEventSerializer(page, many=True).data)

    def _actor(self) -> Actor:
        return Actor(cast(User, self.request.user), Source.API)

    def _do(self, body_of: type[deeds.Deed]) -> Response:
        alarm = self.get_object()
        body = body_of(data=self.request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        try:
            body.do(alarm, self._actor())
        except RefusedError as error:
            raise deeds.ConflictError(str(error)) from None
        except Alarm.DoesNotExist:  # any more
            raise NotFound from None
        return Response(AlarmSerializer(self.get_queryset().get(pk=alarm.pk)).data)
