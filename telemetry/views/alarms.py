"""The alarms of all plants of the reader: a list with bulk actions, and each alarm with its journal."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from alarms.models import Alarm, Rule
from plants.models import Plant
from telemetry.alarm_filter import SHOWN, AlarmFilter, Place
from telemetry.queries.alarm_page import alarm_page
from telemetry.queries.alarms import alarm_list, closed_page
from telemetry.views.alarm_actions import SHELVES, Choice, act


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def alarms(request: HttpRequest) -> HttpResponse:
    """The alarms that the filter in the URL asks for; a POST does something with those chosen of them.

    With `part` in the query only what changes with alarms, for the page's script.
    """
    chosen = AlarmFilter.from_query(request.GET)
    visible = Alarm.objects.visible_to(request.user)
    if request.method == "POST":
        return act(request, Choice.from_form(request.POST), visible, reverse("alarms", query=chosen.query()))
    is_part = "part" in request.GET
    plants = Plant.objects.visible_to(request.user)
    context = list_context(request, chosen) | {
        "page": "alarms",
        "plants": plants,
        "wrong": "" if is_part else chosen.wrong(request.GET, [each.slug for each in plants]),
    }
    return render(request, "telemetry/_alarm_parts.html" if is_part else "telemetry/alarms.html", context)


def list_context(request: HttpRequest, chosen: AlarmFilter) -> dict[str, Any]:
    now, visible = timezone.now(), Alarm.objects.visible_to(request.user)
    before = Place.parse(request.GET.get("before", ""))
    return {
        "now": now,
        "filter": chosen,
        "tabs": [(show, show.capitalize()) for show in SHOWN],
        "alarms": alarm_list(visible, chosen, now),
        "closed": closed_page(visible, chosen, before, now) if chosen.show == "closed" else None,
        "before": before,
        "may_operate": cast(User, request.user).may_operate,
        "shelves": SHELVES,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def alarm(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All of one alarm; a POST does something with it."""
    visible = Alarm.objects.visible_to(request.user)
    found = get_object_or_404(visible.with_words(), pk=pk)
    if request.method == "POST":
        return act(request, Choice.from_form(request.POST)._replace(ids=[pk]), visible, reverse("alarm", args=[pk]))
    now, user = timezone.now(), cast(User, request.user)
    return render(
        request,
        "telemetry/alarm.html",
        {
            "page": "alarms",
            "now": now,
            "alarm": found,
            "shown": alarm_page(found, now),
            "kind": Rule.Kind(found.version.definition["kind"]).label,
            "may_operate": user.may_operate,
            "is_mine": found.assigned_to_id == user.pk,
            "shelves": SHELVES,
        },
    )
