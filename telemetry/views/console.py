"""Overview and plant: rendered with real values first, kept live by their scripts."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from plants.models import Plant, Sensor
from telemetry.live_page import plant_data
from telemetry.machine_filter import MachineFilter, is_quiet
from telemetry.queries.console import plant_views
from telemetry.queries.plant_page import plant_page
from telemetry.queries.rates import readings_a_second


@require_safe
@login_required
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """Every plant the user sees, with its freshness and the state of its machines."""
    now = timezone.now()
    views = plant_views(list(Plant.objects.visible_to(request.user)), now)
    return render(
        request,
        "telemetry/overview.html",
        {"page": "overview", "views": views, "now": now, "live": [plant_data(view, now) for view in views]},
    )


@require_safe
@login_required
@never_cache
def plant(request: HttpRequest, slug: str) -> HttpResponse:
    """One plant's machines with their key values."""
    now = timezone.now()
    found = get_object_or_404(Plant.objects.visible_to(request.user), slug=slug)
    page = plant_page(found, now)
    chosen = MachineFilter.from_query(request.GET)
    machines = page.view.machines
    return render(
        request,
        "telemetry/plant.html",
        {
            "plant": found,
            "view": page.view,
            "rate": page.rate,
            "now": now,
            "filter": chosen,
            "matching": {
                machine.machine.pk
                for zone in page.view.zones
                for machine in zone.machines
                if chosen.matches(machine, zone.zone.slug)
            },
            "abnormal": sum(machine.is_abnormal for machine in machines),
            "quiet": sum(is_quiet(machine) for machine in machines),
            "live": [plant_data(page.view, now)],
        },
    )


@require_safe
@login_required
@never_cache
def plant_rate(request: HttpRequest, slug: str) -> JsonResponse:
    """The plant page's readings a second, counted anew: frames are coalesced, so a browser cannot count."""
    found = get_object_or_404(Plant.objects.visible_to(request.user), slug=slug)
    numbers = Sensor.objects.filter(machine__zone__plant=found, is_active=True).values_list("number", flat=True)
    return JsonResponse({"readings_a_second": readings_a_second(list(numbers), timezone.now())})
