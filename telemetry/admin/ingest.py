"""Ingest's processes and events in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.timezone import now

from telemetry.models import IngestEvent, IngestShard


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
