"""The alarms that are open or shelved, in all plants of the reader."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from plants.models import Plant
from telemetry.alarm_rows import AlarmFilter, AlarmList


@require_safe
@login_required
@never_cache
def alarms(request: HttpRequest) -> HttpResponse:
    """Nothing raises alarms yet, so the list is empty whatever the filter."""
    user = cast(User, request.user)
    return render(
        request,
        "telemetry/alarms.html",
        {
            "page": "alarms",
            "now": timezone.now(),
            "plants": Plant.objects.visible_to(user),
            "filter": AlarmFilter.from_query(request.GET),
            "alarms": AlarmList(),
            "may_operate": user.may_operate,
        },
    )
