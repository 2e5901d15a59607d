"""The system page: how the installation is, for admins."""

import platform

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from telemetry.queries.system import system
from telemetry.views.access import for_admins


@require_safe
@for_admins
@never_cache
def system_page(request: HttpRequest) -> HttpResponse:
    versions = {"InQube": settings.VERSION, "Python": platform.python_version(), "Django": django.__version__}
    return render(request, "telemetry/system.html", {"page": "system", "versions": versions, **_state()})


@require_safe
@for_admins
@never_cache
def system_state(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes, for its script."""
    return render(request, "telemetry/_system.html", _state())


def _state() -> dict[str, object]:
    return {
        "system": system(timezone.now()),
        "kept_days": settings.RAW_RETENTION_DAYS,
        "accounts_managed": bool(settings.MQTT_ADMIN_URL),
    }
