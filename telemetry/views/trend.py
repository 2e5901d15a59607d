"""The past of up to eight sensors: as tables, which need no script, and what its script draws a chart from."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from telemetry.live_page import trend_data
from telemetry.queries.trend_alarms import MOST, episodes
from telemetry.queries.trend_page import sensors_named, trend_page
from telemetry.trend_query import MAX_SENSORS, RANGES, TrendQuery


@require_safe
@login_required
@never_cache
def trend(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    user = cast(User, request.user)
    query = TrendQuery.from_query(request.GET)
    sensors = sensors_named(user, query.sensors)
    if sensors is None:
        raise Http404
    start, end = query.bounds(now)
    if request.GET.get("part") == "alarms":
        found = {"alarms": episodes(sensors, start, end, now)}
        return render(request, "telemetry/_trend_alarms.html", {"page_of": found, "most_alarms": MOST})
    page = trend_page(user, sensors, start, end, now)
    first = page.sensors[0] if page.sensors else None
    return render(
        request,
        "telemetry/trend.html",
        {
            "plant": first.sensor.machine.zone.plant if first else None,
            "first": first,
            "page_of": page,
            "most_alarms": MOST,
            "query": query,
            "ranges": [(key, label) for key, (label, _) in RANGES.items()],
            "start": start,
            "end": end,
            "now": now,
            "full": len(sensors) >= MAX_SENSORS,
            "live": trend_data(page, start, end, {key: length for key, (_, length) in RANGES.items()}, now),
        },
    )
