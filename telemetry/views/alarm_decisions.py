"""What somebody has decided about an alarm, from the form of its page."""

from typing import cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.models import User
from alarms.models import Actor, Alarm, Decision, Source
from alarms.models.decisions import LONGEST_REASON


def decide(request: HttpRequest, alarm: Alarm, url: str) -> HttpResponse:
    """Writes it down with the alarm's sensor, or says why not, and goes to `url`. PermissionDenied for viewers."""
    user = cast(User, request.user)
    if not user.may_operate:
        raise PermissionDenied("Decisions are recorded by operators of the plant.")
    action, reason = request.POST.get("decision", ""), request.POST.get("reason", "").strip()
    if action not in Decision.Action.values:
        messages.warning(request, "Nothing was recorded. Say what was decided.")
        return HttpResponseRedirect(url)
    try:
        sensors = [alarm.sensor_id] if alarm.sensor_id else []
        Decision.objects.record(
            Actor(user, Source.PAGE), alarm=alarm, action=action, reason=reason[:LONGEST_REASON], sensors=sensors
        )
    except ValidationError as error:
        messages.warning(request, f"Nothing was recorded. {' '.join(error.messages)}")
    else:
        messages.success(request, "The decision is recorded.")
    return HttpResponseRedirect(url)
