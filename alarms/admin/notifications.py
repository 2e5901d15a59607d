"""Notifications in the admin: channels and policies, made by operators of their plants, and the log of deliveries."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.confirmation import ask_first
from alarms.admin.alarms import ReadOnly
from alarms.models import Delivery, DeliveryAttempt, NotificationChannel, NotificationPolicy, NotificationStep
from alarms.notifications.deliver import send_test
from plants.admin import FactoryAdmin, PlantFilter

MOST_TESTED = 5  # each may take ten seconds


class ChannelForm(forms.ModelForm):
    def clean_addresses(self) -> str:
        """One a line, as they are shown."""
        return "\n".join(self.cleaned_data["addresses"].split())


@admin.register(NotificationChannel)
class NotificationChannelAdmin(FactoryAdmin):
    """A webhook's secret is shown once, in the message after it was made."""

    form = ChannelForm
    change_form_template = "admin/alarms/notificationchannel/change_form.html"
    list_display = ("name", "plant", "kind", "target", "health", "last_success_at", "last_failure_at")
    list_select_related = ("plant",)
    list_filter = (("plant", PlantFilter), "kind", "is_enabled")
    search_fields = ("name", "plant__name", "plant__slug")
    autocomplete_fields = ("plant",)
    actions = ("send_test", "rotate")
    facts = ("health", "last_success_at", "last_failure_at", "created_at", "id")
    fieldsets = (
        (None, {"fields": ("plant", "name", "kind", "is_enabled")}),
        ("Email", {"fields": ("addresses",)}),
        ("Webhook", {"fields": ("url", "format")}),
        ("What it is told", {"fields": ("tells_clearing", "flood_limit")}),
        ("Facts", {"fields": facts}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: NotificationChannel | None = None) -> Any:
        """A new channel has no facts yet."""
        return super().get_fieldsets(request, obj) if obj else self.fieldsets[:-1]

    def get_readonly_fields(self, request: HttpRequest, obj: NotificationChannel | None = None) -> tuple[str, ...]:
        """Policies of its plant use it."""
        return ("plant", *self.facts) if obj else self.facts

    def save_model(self, request: HttpRequest, obj: NotificationChannel, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.kind == NotificationChannel.Kind.WEBHOOK and (not change or "kind" in form.changed_data):
            self._show(request, obj, obj.secret)

    @admin.display(description="state")
    def health(self, channel: NotificationChannel) -> str:
        return channel.health

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        actions = [("send_test", "Send a test message"), ("rotate", "New secret")]
        context = {"form_actions": actions, "checkbox": ACTION_CHECKBOX_NAME, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    @admin.action(description="Send selected channels a test message", permissions=["change"])
    def send_test(self, request: HttpRequest, channels: QuerySet[NotificationChannel]) -> HttpResponse | None:
        chosen = list(channels.select_related("plant")[: MOST_TESTED + 1])
        if len(chosen) > MOST_TESTED:
            self.message_user(request, f"Choose {MOST_TESTED} channels at most.", messages.ERROR)
            return None
        for channel in chosen:
            outcome = send_test(channel)
            if outcome.is_success:
                self.message_user(request, f"{channel}: the test was sent. {outcome.words}", messages.SUCCESS)
            else:
                self.message_user(request, f"{channel}: the test failed. {outcome.words}", messages.ERROR)
        if len(chosen) != 1:
            return None
        return HttpResponseRedirect(reverse("admin:alarms_notificationchannel_change", args=[chosen[0].pk]))

    @admin.action(description="Give selected webhooks new secrets", permissions=["change"])
    def rotate(self, request: HttpRequest, channels: QuerySet[NotificationChannel]) -> HttpResponse | None:
        def act() -> None:
            for channel in channels.filter(kind=NotificationChannel.Kind.WEBHOOK):
                self._show(request, channel, channel.rotate())

        return ask_first(
            self,
            request,
            channels,
            verb="Give new secrets",
            consequence="The secret of each webhook is shown once on the next page. What is sent from then on is "
            "signed with it, and no more with the present one.",
            describe=str,
            act=act,
        )

    def _show(self, request: HttpRequest, channel: NotificationChannel, secret: str) -> None:
        text = f"The secret with which {channel} is signed, shown this once: {secret}"
        self.message_user(request, text, messages.WARNING)


class StepFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        """Admins, and operators of several plants, see channels of others than the policy's."""
        super().clean()
        for form in self.forms:
            channel = form.cleaned_data.get("channel") if form.is_valid() else None
            if channel is not None and channel.plant_id != self.instance.plant_id:
                form.add_error("channel", "It belongs to another plant.")


class StepInline(admin.TabularInline):
    model = NotificationStep
    formset = StepFormSet
    fields = ("channel", "after_min")
    extra = 1

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        return NotificationChannel.objects.visible_to(request.user)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A table's headings are no labels."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = db_field.verbose_name.capitalize()
        return field


@admin.register(NotificationPolicy)
class NotificationPolicyAdmin(FactoryAdmin):
    list_display = ("name", "plant", "severity", "quiet_from", "quiet_to", "breaks_through", "is_enabled")
    list_select_related = ("plant",)
    list_filter = (("plant", PlantFilter), "severity", "is_enabled")
    search_fields = ("name", "plant__name", "plant__slug")
    autocomplete_fields = ("plant",)
    inlines = (StepInline,)
    history_includes = {"notificationstep": "policy_id"}
    fieldsets = (
        (None, {"fields": ("plant", "name", "severity", "is_enabled")}),
        ("Quiet hours", {"fields": ("quiet_from", "quiet_to", "breaks_through")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: NotificationPolicy | None = None) -> tuple[str, ...]:
        """Its channels are those of its plant."""
        return ("plant",) if obj else ()


class AttemptInline(ReadOnly, admin.TabularInline):
    model = DeliveryAttempt
    verbose_name_plural = "attempts"
    fields = readonly_fields = ("at", "is_success", "outcome", "duration_ms")
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the delivery."""
        return True


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "created_at",
        "channel_name",
        "kind",
        "about",
        "after_min",
        "state",
        "attempts",
        "reason",
        "done_at",
    )
    list_select_related = ("alarm",)
    list_filter = ("state", "kind", ("plant", PlantFilter))
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("channel_name", "alarm__title")
    ordering = ("-created_at",)
    inlines = (AttemptInline,)
    fields = readonly_fields = (
        *("created_at", "plant", "channel_name", "kind", "about", "after_min", "state", "reason", "attempts"),
        *("due_at", "done_at", "id"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        deliveries: Any = super().get_queryset(request)
        return deliveries.visible_to(request.user)

    @admin.display(description="alarm")
    def about(self, delivery: Delivery) -> str:
        return delivery.alarm.title if delivery.alarm else "—"
