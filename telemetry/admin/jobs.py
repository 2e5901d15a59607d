"""The worker's jobs in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from procrastinate.contrib.django.admin import ProcrastinateEventInline, ProcrastinateJobAdmin
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

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
