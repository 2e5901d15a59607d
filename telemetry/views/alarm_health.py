"""How the alarms of one plant, or of all that somebody sees, are for those who get them."""

from datetime import UTC, timedelta, tzinfo
from typing import NamedTuple, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from alarms.health import FLOOD_BEGINS, Health, health
from plants.models import Plant

# By name: how long, what a bar stands for, and both in words.
RANGES = {
    "24h": (timedelta(hours=24), timedelta(minutes=10), "24 h", "ten minutes"),
    "7d": (timedelta(days=7), timedelta(hours=1), "7 d", "an hour"),
    "30d": (timedelta(days=30), timedelta(hours=6), "30 d", "six hours"),
}


class Bars(NamedTuple):
    """Calls over time, as rectangles in a drawing of height 100."""

    bars: list[tuple[int, float, float]]  # x, y, height
    width: int
    most: int


@require_safe
@login_required
@never_cache
def alarm_health(request: HttpRequest) -> HttpResponse:
    user, now = cast(User, request.user), timezone.now()
    plants = list(Plant.objects.visible_to(user).order_by("name"))
    chosen = next((plant for plant in plants if plant.slug == request.GET.get("plant")), None)
    if request.GET.get("plant") and chosen is None:
        raise Http404
    name = request.GET.get("range", "7d")
    length, step, _, each = RANGES.get(name, RANGES["7d"])
    tz: tzinfo = chosen.tz if chosen else UTC
    found = health([plant.pk for plant in ([chosen] if chosen else plants)], now - length, now, now)
    return render(
        request,
        "telemetry/alarm_health.html",
        {
            "page": "alarms",
            "plants": plants,
            "chosen": chosen,
            "range": name if name in RANGES else "7d",
            "ranges": [(key, words) for key, (_, _, words, _) in RANGES.items()],
            "now": now,
            "tz": tz,
            "health": found,
            "bars": bars(found, step),
            "each": each,
            "flood_begins": FLOOD_BEGINS,
        },
    )


def bars(found: Health, step: timedelta) -> Bars:
    """Pure."""
    width = int((found.end - found.start) / step)
    counts = [0] * width
    for at, count in found.spans:
        counts[min(width - 1, max(0, int((at - found.start) / step)))] += count
    most = max(counts, default=0)
    drawn = [(x, 100 - 100 * count / most, 100 * count / most) for x, count in enumerate(counts) if count]
    return Bars(drawn, width, most)
