"""The inbox of dead letters in the admin."""

from typing import cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from accounts.models import User
from plants.admin import PlantFilter
from telemetry.admin.inbox import InboxAdmin
from telemetry.models import DeadLetter
from telemetry.replay import MAX_REPLAYED, replay, summary


@admin.register(DeadLetter)
class DeadLetterAdmin(InboxAdmin):
    """What could not become a reading."""

    list_display = ("received_at", "source", "address", "reason", "detail", "samples", "seen", "state")
    list_filter = ("state", "reason", ("plant", PlantFilter))
    search_fields = ("topic", "address", "detail")
    ordering = ("-received_at",)
    actions = ("replay", "discard")
    fields = (
        *("received_at", "topic", "plant", "address", "reason", "detail", "samples", "seen"),
        *("text", "payload_bytes", "is_truncated", "state", "decided_at", "decided_by"),
    )
    readonly_fields = fields

    @admin.display(description="Payload")
    def text(self, letter: DeadLetter) -> str:
        return bytes(letter.payload).decode(errors="replace")

    @admin.action(description="Replay selected dead letters")
    def replay(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        chosen = letters.order_by("received_at", "id")[:MAX_REPLAYED]
        done = summary(list(replay(chosen, cast(User, request.user), now(), settings.RAW_RETENTION_DAYS)))
        self.message_user(request, f"{done.replayed:,} replayed, {done.stored:,} readings stored.")
        if done.kept:
            stay = f"{len(done.kept):,} stay; the first because: {done.kept[0].why}"
            self.message_user(request, stay, messages.WARNING)

    @admin.action(description="Discard selected dead letters")
    def discard(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        ids = letters.order_by().values("pk")
        discarded = DeadLetter.objects.filter(pk__in=ids).discard(cast(User, request.user), now())
        self.message_user(request, f"{discarded:,} discarded.")
