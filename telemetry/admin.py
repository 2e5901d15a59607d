"""The worker's jobs, the inbox of dead letters, and ingest's processes and events in the admin."""

from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now
from procrastinate.contrib.django.admin import ProcrastinateEventInline, ProcrastinateJobAdmin
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from accounts.models import User
from plants.models import Plant
from telemetry.models import DeadLetter, IngestEvent, IngestShard
from telemetry.replay import MAX_REPLAYED, replay, summary

admin.site.unregister(ProcrastinateJob)  # its list carries inline styles, which the pages' policy stops


class EventInline(ProcrastinateEventInline):
    fields = ("type", "at")
    ordering = ("id",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(ProcrastinateJob)
class JobAdmin(ProcrastinateJobAdmin):
    """procrastinate's own, read-only but for its actions, which go through the job manager."""

    list_display = ["id", "task_name", "status", "attempts", "scheduled_at", "last_event_at"]
    list_filter = ["status", "task_name"]
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-id",)
    fields = ["id", "task_name", "args", "status", "attempts", "scheduled_at", "queue_name", "lock", "queueing_lock"]
    inlines = [EventInline]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["last_event_at", *(field.name for field in self.opts.concrete_fields)]

    @admin.display(description="Last event")
    def last_event_at(self, job: ProcrastinateJob) -> Any:
        events: list[ProcrastinateEvent] = list(job.procrastinateevent_set.all())  # fetched for the page at once
        return events[0].at if events else None


class PlantFilter(admin.RelatedFieldListFilter):
    """Only plants that exist for the user."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [(plant.pk, str(plant)) for plant in Plant.objects.visible_to(request.user).order_by("name")]


@admin.register(DeadLetter)
class DeadLetterAdmin(admin.ModelAdmin):
    """What could not become a reading: read-only but for its actions, which are those of the API."""

    list_display = ("received_at", "source", "address", "reason", "detail", "samples", "seen", "state")
    list_filter = ("state", "reason", ("plant", PlantFilter))
    search_fields = ("topic", "address", "detail")
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-received_at",)
    actions = ("replay", "discard")
    fields = (
        *("received_at", "topic", "plant", "address", "reason", "detail", "samples", "seen"),
        *("text", "payload_bytes", "is_truncated", "state", "decided_at", "decided_by"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        return DeadLetter.objects.visible_to(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and request.user.may_operate

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission

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


class FactsAdmin(admin.ModelAdmin):
    """What ingest writes, for admins to read."""

    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(IngestShard)
class IngestShardAdmin(FactsAdmin):
    list_display = ("client_id", "shard", "of", "state", "host", "pid", "committed_at", "unacknowledged", "standby")
    fields = (
        *("client_id", "shard", "of", "state", "host", "pid", "started_at", "seen_at", "stopped_at", "connected_at"),
        *("contact_at", "is_subscribed", "plants", "committed_at", "unacknowledged", "broker_dropped", "standby"),
    )

    @admin.display
    def state(self, shard: IngestShard) -> str:
        if shard.stopped_at is not None:
            return "stopped"
        if not shard.runs(now()):
            return "silent"
        return "works" if shard.is_connected(now()) else "without the broker"

    @admin.display
    def standby(self, shard: IngestShard) -> str:
        return f"on {shard.standby_host}" if shard.has_standby(now()) else "none"


@admin.register(IngestEvent)
class IngestEventAdmin(FactsAdmin):
    list_display = ("at", "kind", "client_id", "since", "count", "detail")
    list_filter = ("kind",)
    fields = ("at", "kind", "client_id", "since", "count", "detail")
