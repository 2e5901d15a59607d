"""Decisions in the admin: read-only, for nothing about them ever changes."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from alarms.admin.alarms import ReadOnly
from alarms.models import Alarm, Decision
from plants.admin import PlantFilter
from plants.models import Machine, Plant, Sensor


@admin.register(Decision)
class DecisionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "action", "actor", "plant_name", "subject", "reason")
    list_filter = ("action", ("plant", PlantFilter))
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("reason", "actor")
    ordering = ("-at",)
    fields = ("at", "action", "reason", "actor", "source", "plant_name", "subject", "sensor_names", "id")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        decisions: Any = super().get_queryset(request)
        return decisions.visible_to(request.user).annotate(
            plant_named=named(Plant, "plant", "name"),
            alarm_named=named(Alarm, "alarm", "title"),
            machine_named=named(Machine, "machine", "name"),
        )

    # By name and not by the row: what it is about may be deleted, and the decision stays.
    @admin.display(description="plant")
    def plant_name(self, decision: Any) -> str:
        return decision.plant_named or self.get_empty_value_display()

    @admin.display(description="about")
    def subject(self, decision: Any) -> str:
        return decision.alarm_named or decision.machine_named or self.get_empty_value_display()

    @admin.display(description="sensors")
    def sensor_names(self, decision: Decision) -> str:
        found = Sensor.objects.filter(pk__in=decision.sensors).order_by("name").values_list("name", flat=True)
        return ", ".join(found) or self.get_empty_value_display()


def named(model: Any, field: str, name: str) -> Subquery:
    return Subquery(model.objects.filter(pk=OuterRef(f"{field}_id")).values(name)[:1])
