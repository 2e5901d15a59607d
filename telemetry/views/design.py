"""The design page: every component in every state, out of the templates and style sheets that pages use."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from telemetry import design as examples
from telemetry.alarm_filter import AlarmFilter
from telemetry.alarm_rows import SEVERITIES
from telemetry.look_tokens import pairs, tokens


@require_safe
@login_required
@never_cache
def design(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    machines = examples.machines(now)
    return render(
        request,
        "telemetry/design.html",
        {
            "page": "design",
            "now": now,
            "lost": (now - timedelta(seconds=46)).astimezone(ZoneInfo(examples.PLANT.timezone)),
            "tokens": tokens(),
            "pairs": pairs(),
            "tiles": examples.tiles(now),
            "machines": machines,
            "matching": {each.machine.pk for each in machines},
            "plant": None,  # no plant of the side bar is the current one
            "example_plant": examples.PLANT,
            "zone": examples.ZONE,
            "timeline": examples.hours(now),
            "standings": {"fresh": 106, "late": 3, "stale": 8, "bad": 1},
            "severities": SEVERITIES,
            "alarms": examples.ALARMS,
            "banners": examples.BANNERS,
            "filter": AlarmFilter(),
            "may_operate": True,
        },
    )
