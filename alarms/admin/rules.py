"""Rules in the admin: made and changed by operators of their plants."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from alarms.models import Rule
from plants.admin import FactoryAdmin, PlantFilter


class RuleForm(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "plant" in self.fields:  # not where it is only read
            self.fields["plant"].required = False
            self.fields["plant"].help_text = "May be left out of a rule on one sensor, which has its plant's."


@admin.register(Rule)
class RuleAdmin(FactoryAdmin):
    form = RuleForm
    change_form_template = "admin/alarms/rule/change_form.html"
    list_display = ("name", "target", "kind", "setpoint", "severity", "plant", "is_enabled", "version")
    list_select_related = ("plant", "zone", "machine", "sensor")
    list_filter = (("plant", PlantFilter), "kind", "severity", "is_enabled")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("message", "sensor_type", "sensor__name", "sensor__slug", "machine__name", "zone__name")
    autocomplete_fields = ("plant", "zone", "machine", "sensor", "reference")
    readonly_fields = ("version", "created_at", "updated_at", "id")
    fieldsets = (
        (None, {"fields": ("message", "severity", "is_enabled")}),
        (
            "What it watches",
            {
                "description": "Either one sensor; or every sensor of a type in the plant, in one of its zones, or on "
                "one machine, also those that are added later.",
                "fields": ("sensor", "sensor_type", "plant", "zone", "machine"),
            },
        ),
        ("Condition", {"fields": ("kind", "setpoint", "deadband", "reference")}),
        ("When", {"fields": ("on_delay_s", "off_delay_s", "schedule")}),
        ("For whoever sees the alarm", {"fields": ("advice",)}),
        ("Facts", {"fields": ("version", "created_at", "updated_at", "id")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Rule | None = None) -> Any:
        """A new rule has no facts yet."""
        return super().get_fieldsets(request, obj) if obj else self.fieldsets[:-1]

    @admin.display(description="rule", ordering="message")
    def name(self, rule: Rule) -> str:
        return str(rule)

    @admin.display(description="watches")
    def target(self, rule: Rule) -> str:
        return rule.target
