"""The sensors in the admin with their latest readings, which the list's script keeps live."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from django.contrib import admin
from django.forms import Media, Script
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.timezone import now

from plants.admin import SensorAdmin
from plants.models import Sensor
from telemetry.live_page import MachinesData, machine_data, plant_head
from telemetry.queries.console import MachineView, SensorView, machine_views_of

MODULE = Script("inqube/admin-sensors.js", type="module")  # Django takes it where its types ask for text

admin.site.unregister(Sensor)


@admin.register(Sensor)
class ReportingSensorAdmin(SensorAdmin):
    list_display = ("name", "latest_value", "latest_age", "address_path", "number", "kind", "is_active")
    list_select_related = ("machine__zone__plant", "latest")
    readonly_fields = (*SensorAdmin.readonly_fields, "latest_value", "latest_age")
    fieldsets = (
        *SensorAdmin.fieldsets[:-1],
        ("Facts", {"fields": ("latest_value", "latest_age", *SensorAdmin.fieldsets[-1][1]["fields"])}),
    )

    @property
    def media(self) -> Media:
        styles = ("inqube/tokens.css", "inqube/admin.css", "inqube/admin-sensors.css")
        return super().media + Media(css={"all": styles}, js=[cast(str, MODULE)])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and "cl" in (response.context_data or {}):
            moment = now()
            context = cast(dict[str, Any], response.context_data)
            machines = machine_views_of(context["cl"].result_list, moment)
            remember(machines, moment)
            context["live"] = live_data(machines, moment)
        return response

    @admin.display(description="latest", ordering="latest__value")
    def latest_value(self, sensor: Sensor) -> str:
        """`23.4 °C`, or the label of a state, with its quality where that is not good."""
        view, _ = view_of(sensor)
        return render_to_string("admin/plants/sensor/_latest_value.html", {"view": view, "sensor": sensor})

    @admin.display(description="age", ordering="latest__time")
    def latest_age(self, sensor: Sensor) -> str:
        """`14:31`, by the plant's clock, and a word where it is late or stale."""
        view, moment = view_of(sensor)
        context = {"view": view, "sensor": sensor, "tz": sensor.machine.zone.plant.tz, "now": moment}
        return render_to_string("admin/plants/sensor/_latest_age.html", context)


def remember(machines: Iterable[MachineView], moment: datetime) -> None:
    """Leaves with each sensor what its row shows: Django asks for one cell at a time."""
    for machine in machines:
        for view in machine.sensors:
            view.sensor.__dict__["seen"] = view, moment


def view_of(sensor: Sensor) -> tuple[SensorView, datetime]:
    if "seen" not in vars(sensor):  # its own page, where it is the only one
        moment = now()
        remember(machine_views_of([sensor], moment), moment)
    seen: tuple[SensorView, datetime] = vars(sensor)["seen"]
    return seen


def live_data(machines: Iterable[MachineView], moment: datetime) -> list[MachinesData]:
    """What the script follows, by plant."""

    def slug(view: MachineView) -> str:
        return view.machine.zone.plant.slug

    return [
        {
            **plant_head(views[0].machine.zone.plant, moment),
            "machines": [machine_data(view, view.machine.zone.slug) for view in views],
        }
        for _, group in groupby(sorted(machines, key=slug), key=slug)
        if (views := list(group))
    ]
