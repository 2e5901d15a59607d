"""What of a page changes with alarms, as a fragment: its script puts the parts where the page has the same."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from alarms.models import Alarm
from plants.models import Machine, Plant, Zone
from telemetry.queries.alarms import MOST_ON_OVERVIEW, card_alarms, marks_of, worst_open


@require_safe
@login_required
@never_cache
def alarm_banner(request: HttpRequest) -> HttpResponse:
    """The banner and the counts, and with `of=overview`, `plant` or `machine` what that page shows besides."""
    now, of = timezone.now(), request.GET.get("of", "")
    alarms = Alarm.objects.visible_to(request.user)
    context: dict[str, Any] = {"now": now, "of": of}
    if of == "overview":
        context |= {"marks": marks_of(alarms, now), "open_alarms": worst_open(alarms, now, MOST_ON_OVERVIEW)}
        plants = Plant.objects.visible_to(request.user)
        context |= {"cards": card_alarms(alarms, now), "plants": plants}
        context["zones"] = Zone.objects.filter(plant__in=plants)
    elif of == "plant":
        plant = get_object_or_404(Plant.objects.visible_to(request.user), slug=request.GET.get("plant", ""))
        context |= {"plant": plant, "marks": marks_of(alarms.filter(plant=plant), now)}
    elif of == "machine":
        machine = get_object_or_404(Machine.objects.visible_to(request.user), pk=_id(request.GET.get("machine", "")))
        own = alarms.filter(machine=machine)
        context |= {"marks": marks_of(own, now), "open_alarms": worst_open(own, now)}
    return render(request, "telemetry/_alarm_parts.html", context)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
