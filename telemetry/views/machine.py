"""One machine: all its sensors and its last hours, rendered with real values first, kept live by its script."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from plants.models import Machine
from telemetry.live_page import machine_data, plant_head, timeline_data
from telemetry.queries.machine_page import machine_page, machine_view, timeline_of
from telemetry.queries.timeline import totals
from telemetry.trend_query import MAX_SENSORS


def find_machine(request: HttpRequest, slug: str, zone: str, machine: str) -> Machine:
    visible = Machine.objects.visible_to(request.user).select_related("zone__plant")
    return get_object_or_404(visible, slug=machine, zone__slug=zone, zone__plant__slug=slug)


@require_safe
@login_required
@never_cache
def machine(request: HttpRequest, slug: str, zone: str, machine: str) -> HttpResponse:
    now = timezone.now()
    found = find_machine(request, slug, zone, machine)
    page = machine_page(found, now)
    plant = found.zone.plant
    return render(
        request,
        "telemetry/machine.html",
        {
            "plant": plant,
            "zone": found.zone,
            "machine": found,
            "view": page.view,
            "timeline": page.timeline,
            "totals": totals(page.timeline),
            "open_alarms": page.open_alarms,
            "of": "machine",
            "compared": [each.sensor for each in page.view.sensors if each.sensor.kind != "state"][:MAX_SENSORS],
            "now": now,
            "live": [
                {
                    **plant_head(plant, now),
                    "machines": [machine_data(page.view, zone)],
                    "timeline": timeline_data(page.timeline),
                }
            ],
        },
    )


@require_safe
@login_required
@never_cache
def machine_timeline(request: HttpRequest, slug: str, zone: str, machine: str) -> JsonResponse:
    """The machine page's timeline anew: a browser that was away has not seen every change."""
    now = timezone.now()
    view = machine_view(find_machine(request, slug, zone, machine), now)
    return JsonResponse({"timeline": timeline_data(timeline_of(view, now))})
