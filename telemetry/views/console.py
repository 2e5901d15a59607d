"""Overview and plant: rendered with real values first, kept live by their scripts."""

from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from alarms.models import Alarm
from plants.models import Plant, Sensor
from telemetry.live_page import overview_data, plant_data
from telemetry.machine_filter import MachineFilter, is_quiet
from telemetry.navigation import letters_waiting
from telemetry.queries.alarms import MOST_ON_OVERVIEW, card_alarms, worst_open
from telemetry.queries.overview_page import overview_page
from telemetry.queries.plant_page import plant_page
from telemetry.queries.rates import rates_by_sensor, readings_a_second


@require_safe
@login_required
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """Every plant the user sees, with its freshness and the state of its machines."""
    now = timezone.now()
    alarms = Alarm.objects.visible_to(request.user)
    found = overview_page(list(Plant.objects.visible_to(request.user)), now)
    return render(
        request,
        "telemetry/overview.html",
        {
            "page": "overview",
            "overview": found,
            "now": now,
            "host": urlsplit(f"//{request.get_host()}").hostname,
            "live": [overview_data(card, now) for card in found.cards],
            "open_alarms": worst_open(alarms, now, MOST_ON_OVERVIEW),
            "cards": card_alarms(alarms, now),
        },
    )


@require_safe
@login_required
@never_cache
def overview_rates(request: HttpRequest) -> JsonResponse:
    """What the overview can't take from the feed: readings a second of each plant, and dead letters to decide."""
    sensors = Sensor.objects.filter(machine__zone__plant__in=Plant.objects.visible_to(request.user), is_active=True)
    plant_of = dict(sensors.values_list("number", "machine__zone__plant__slug"))
    rates = dict.fromkeys(plant_of.values(), 0.0)
    for sensor, rate in rates_by_sensor(list(plant_of), timezone.now()).items():
        rates[plant_of[sensor]] += rate
    return JsonResponse({"readings_a_second": rates, "dead_letters": letters_waiting(request)})


@require_safe
@login_required
@never_cache
def plant(request: HttpRequest, slug: str) -> HttpResponse:
    """One plant's machines with their key values."""
    now = timezone.now()
    found = get_object_or_404(Plant.objects.visible_to(request.user), slug=slug)
    page = plant_page(found, now)
    zones = {each.zone.slug for each in page.view.zones}
    chosen = MachineFilter.from_query(request.GET, zones)
    machines = page.view.machines
    return render(
        request,
        "telemetry/plant.html",
        {
            "plant": found,
            "view": page.view,
            "rate": page.rate,
            "rates": page.rates,
            "now": now,
            "filter": chosen,
            "wrong": chosen.wrong(request.GET, zones),
            "matching": {
                machine.machine.pk
                for zone in page.view.zones
                for machine in zone.machines
                if chosen.matches(machine, zone.zone.slug)
            },
            "abnormal": sum(machine.is_abnormal for machine in machines),
            "quiet": sum(is_quiet(machine) for machine in machines),
            "live": [plant_data(page.view, page.rates, now)],
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
