"""What people decided about alarms and machines, and why: a list, a form for another one, and what came of each."""

from datetime import UTC, timedelta
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from alarms.models import Actor, Alarm, Decision, Source
from plants.models import Machine, Sensor
from telemetry.decision_form import About, DecisionForm
from telemetry.queries.effects import effects
from telemetry.queries.history.limited import TooSlowError

PAGE = 50
HOURS = (1, 4, 24)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def decisions(request: HttpRequest) -> HttpResponse:
    """Those about the alarm or machine in the URL, or all; a POST adds one."""
    user = cast(User, request.user)
    about = _about(request)
    form = DecisionForm(about, request.POST or None) if about.is_chosen and user.may_operate else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied("Decisions are about an alarm or a machine, by operators of the plant.")
        if form.is_valid():
            decision = Decision.objects.record(
                Actor(user, Source.PAGE), alarm=about.alarm, machine=about.machine, **form.cleaned_data
            )
            messages.success(request, "The decision is written down, for good.")
            return HttpResponseRedirect(reverse("decision", args=[decision.pk]))
    found = Decision.objects.visible_to(user).filter(**about.query)
    page = Paginator(found.select_related("plant", "alarm", "machine__zone"), PAGE).get_page(request.GET.get("page"))
    context = {"page": "decisions", "now": timezone.now(), "about": about, "form": form, "found": page}
    return render(request, "telemetry/decisions.html", context | {"utc": UTC})


def _about(request: HttpRequest) -> About:
    """Foreign alarms and machines don't exist."""
    alarms = Alarm.objects.visible_to(request.user).select_related("machine__zone", "plant", "sensor")
    machines = Machine.objects.visible_to(request.user).select_related("zone__plant")
    if name := request.GET.get("alarm"):
        return About(alarm=get_object_or_404(alarms, pk=_id(name)))
    if name := request.GET.get("machine"):
        return About(machine=get_object_or_404(machines, pk=_id(name)))
    return About()


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)  # of nothing


@require_safe
@login_required
@never_cache
def decision(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One, with how the sensors that it names were before it and after."""
    visible = Decision.objects.visible_to(request.user).select_related("plant", "alarm", "machine__zone")
    found = get_object_or_404(visible, pk=pk)
    given = request.GET.get("hours", "")
    hours = int(given) if given.isdecimal() and int(given) in HOURS else HOURS[1]
    length, now = timedelta(hours=hours), timezone.now()
    named = Sensor.objects.visible_to(request.user).select_related("machine__zone__plant").in_bulk(found.sensors)
    sensors = [named[key] for key in found.sensors if key in named]
    refused = ""
    try:
        rows = list(zip(sensors, effects(sensors, found.at, length), strict=True))
    except TooSlowError:
        rows, refused = [], "To compare them would take too long: take fewer hours."
    context = {
        "page": "decisions",
        "now": now,
        "decision": found,
        "rows": rows,
        "refused": refused,
        "hours": hours,
        "choices": HOURS,
        "is_complete": found.at + length <= now,
    }
    return render(request, "telemetry/decision.html", context)
