"""What every page's frame needs of the inbox and of alarms."""

from functools import cache, partial
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from alarms.models import Rule
from telemetry.models import DeadLetter, DiscoveredSensor
from telemetry.queries.alarms import plant_alarms

MOST_WAITING = 99


def inbox_of_user(request: HttpRequest) -> dict[str, object]:
    """Context processor: how many dead letters and discovered sensors wait for this user to decide.

    Each is asked once a page, and only by pages that show it.
    """
    user = request.user
    return {
        "nav_waiting": cache(partial(letters_waiting, request)),
        "nav_discovered": cache(partial(_waiting, DiscoveredSensor.objects.visible_to(user).new())),
    }


def alarms_of_user(request: HttpRequest) -> dict[str, object]:
    """Context processor: all alarms that call this user, for the banner and the side bar, and whether any could.

    Each is asked once a page, the latter only where nothing calls.
    """
    return {
        "calling": cache(lambda: plant_alarms(request.user, timezone.now())),
        "has_rules": cache(Rule.objects.visible_to(request.user).exists),
    }


def letters_waiting(request: HttpRequest) -> str:
    return _waiting(DeadLetter.objects.visible_to(request.user).new())


def _waiting(rows: QuerySet[Any]) -> str:
    """`12` or `99+`; empty for none."""
    count = rows.order_by()[: MOST_WAITING + 1].count()
    return f"{MOST_WAITING}+" if count > MOST_WAITING else str(count or "")
