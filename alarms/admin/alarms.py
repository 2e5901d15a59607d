"""Alarms in the admin: read, and acted on through the same methods as everywhere."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from accounts.confirmation import ask_first, is_answered
from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, RefusedError, Source
from alarms.models.alarms import LONGEST_NOTE, LONGEST_SHELF_DAYS
from plants.admin import PlantFilter

MOST_AT_ONCE = 500  # each is a field of the page that asks, and Django reads 1,000
SHELVES = ((30, "30 minutes"), (120, "2 hours"), (8 * 60, "8 hours"), (24 * 60, "1 day"), (7 * 24 * 60, "7 days"))


class NoteForm(forms.Form):
    note = forms.CharField(required=False, max_length=LONGEST_NOTE, widget=forms.Textarea({"rows": 3, "cols": 60}))


class CommentForm(NoteForm):
    note = forms.CharField(max_length=LONGEST_NOTE, widget=forms.Textarea({"rows": 3, "cols": 60}))


class ShelveForm(forms.Form):
    minutes = forms.TypedChoiceField(
        label="For",
        choices=SHELVES,
        coerce=int,
        help_text=f"The API takes any time of up to {LONGEST_SHELF_DAYS} days.",
    )
    reason = forms.CharField(max_length=LONGEST_NOTE, widget=forms.Textarea({"rows": 3, "cols": 60}))


class ReadOnly:
    """Nobody makes, edits or deletes what rules and people have done."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


class JournalInline(ReadOnly, admin.TabularInline):
    """What happened to the alarm, in order."""

    model = AlarmEvent
    template = "admin/alarms/alarm/journal.html"
    fields = readonly_fields = ("kind",)  # the template shows rows, not fields
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the alarm."""
        return True


@admin.register(Alarm)
class AlarmAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("title", "severity", "state", "plant", "raised_at", "occurrences", "acknowledger", "shelved_until")
    list_filter = ("state", "severity", "subject", ("plant", PlantFilter))
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("title",)
    ordering = ("-raised_at",)
    actions = ("acknowledge", "shelve", "unshelve", "comment")
    inlines = (JournalInline,)
    fieldsets = (
        (None, {"fields": ("title", "severity", "state", "advice", "occurrences", "held_under")}),
        ("About", {"fields": ("plant", "machine", "sensor", "device_name", "rule", "rule_version")}),
        (
            "When",
            {
                "fields": (
                    *("raised_at", "trigger_value", "peak_value", "peak_at", "cleared_at", "clear_value", "closed_at"),
                    "recorded_at",
                )
            },
        ),
        (
            "People",
            {
                "fields": (
                    *("acknowledged_at", "acknowledger", "assignee"),
                    *("shelved_until", "shelver", "shelve_reason"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alarm]:
        alarms: Any = super().get_queryset(request)
        return alarms.visible_to(request.user).with_words()

    # As text: the pages of users, devices and rules' versions are not for all who read this, or do not exist.
    @admin.display(description="acknowledged by")
    def acknowledger(self, alarm: Alarm) -> str:
        return str(alarm.acknowledged_by or self.get_empty_value_display())

    @admin.display(description="assigned to")
    def assignee(self, alarm: Alarm) -> str:
        return str(alarm.assigned_to or self.get_empty_value_display())

    @admin.display(description="shelved by")
    def shelver(self, alarm: Alarm) -> str:
        return str(alarm.shelved_by or self.get_empty_value_display())

    @admin.display(description="device")
    def device_name(self, alarm: Alarm) -> str:
        return str(alarm.device.name if alarm.device else self.get_empty_value_display())

    @admin.display(description="version of the rule")
    def rule_version(self, alarm: Alarm) -> int:
        return alarm.version.number

    def advice(self, alarm: Alarm) -> str:
        return str(alarm.version.definition["advice"] or self.get_empty_value_display())

    @admin.action(description="Acknowledge selected alarms…")
    def acknowledge(self, request: HttpRequest, alarms: QuerySet[Alarm]) -> HttpResponse | None:
        form = NoteForm(*given(request))
        return self._ask(
            request,
            alarms,
            form,
            "Acknowledge",
            "It is written down that you have seen them.",
            lambda alarm, by: alarm.acknowledge(by, form.cleaned_data["note"]),
        )

    @admin.action(description="Shelve selected alarms…")
    def shelve(self, request: HttpRequest, alarms: QuerySet[Alarm]) -> HttpResponse | None:
        form = ShelveForm(*given(request))

        def do(alarm: Alarm, by: Actor) -> bool:
            until = now() + timedelta(minutes=form.cleaned_data["minutes"])
            return alarm.shelve(by, until, form.cleaned_data["reason"])

        return self._ask(
            request, alarms, form, "Shelve", "They call nobody for that long, also if they clear and come again.", do
        )

    @admin.action(description="Unshelve selected alarms…")
    def unshelve(self, request: HttpRequest, alarms: QuerySet[Alarm]) -> HttpResponse | None:
        form = NoteForm(*given(request))
        return self._ask(
            request,
            alarms,
            form,
            "Unshelve",
            "They call again at once.",
            lambda alarm, by: alarm.unshelve(by, form.cleaned_data["note"]),
        )

    @admin.action(description="Comment on selected alarms…")
    def comment(self, request: HttpRequest, alarms: QuerySet[Alarm]) -> HttpResponse | None:
        form = CommentForm(*given(request))
        return self._ask(
            request,
            alarms,
            form,
            "Comment",
            "The comment stays in the journal of each.",
            lambda alarm, by: alarm.comment(by, form.cleaned_data["note"]),
        )

    def _ask(
        self,
        request: HttpRequest,
        alarms: QuerySet[Alarm],
        form: forms.Form,
        verb: str,
        consequence: str,
        do: Callable[[Alarm, Actor], bool],
    ) -> HttpResponse | None:
        chosen = list(alarms[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            self.message_user(request, f"Choose {MOST_AT_ONCE} alarms at most.", messages.ERROR)
            return None
        return ask_first(
            self,
            request,
            alarms,
            verb=verb,
            consequence=consequence,
            describe=str,
            act=lambda: self._do(request, chosen, do),
            form=form,
        )

    def _do(self, request: HttpRequest, alarms: list[Alarm], do: Callable[[Alarm, Actor], bool]) -> None:
        by = Actor(cast(User, request.user), Source.ADMIN)
        done, already = 0, 0
        for alarm in alarms:
            try:
                if do(alarm, by):
                    done += 1
                else:
                    already += 1
            except RefusedError as error:
                self.message_user(request, f"{alarm}: {error}", messages.ERROR)
        if done:
            self.message_user(request, f"Done with {done:,} alarm{'s' * (done > 1)}.", messages.SUCCESS)
        if already:
            self.message_user(request, f"{already:,} {'were' if already > 1 else 'was'} so already.", messages.WARNING)


def given(request: HttpRequest) -> tuple[Any, ...]:
    """What a form of the page that asks is made with."""
    return (request.POST,) if is_answered(request) else ()
