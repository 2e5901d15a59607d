"""The page on which a rule is tried on history: of the admin's form as it stands, or of a saved rule."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.forms import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from alarms.models import Rule
from plants.models import Sensor
from plants.scales import SECOND_US, instant, microseconds
from telemetry.backtest.report import Report, backtest, size
from telemetry.backtest.told import command_of
from telemetry.backtest_form import TRIED, BacktestForm
from telemetry.views.access import for_operators

RANGES = {"24h": ("24 h", timedelta(days=1)), "7d": ("7 d", timedelta(days=7)), "30d": ("30 d", timedelta(days=30))}
PAGE_READINGS = 150_000  # some seconds: three passes over them at most; a sensor's day of a reading a second fits
SHOWN_ALARMS = 50  # the longest


@dataclass
class Asked:
    """What the page is about; `report` is None where the form is wrong, or where it would take too long."""

    form: BacktestForm
    saved: Rule | None
    range: str
    start: datetime
    end: datetime
    rule: Rule | None = None
    report: Report | None = None
    readings: int = 0
    command: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
@never_cache
def backtest_rule(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    context = {
        "asked": asked,
        "plant": asked.rule and asked.rule.plant,
        "ranges": [(key, label) for key, (label, _) in RANGES.items()],
        "most_readings": PAGE_READINGS,
        "alarms": _longest(asked.report),
        "advised": _advised(asked.report),
    }
    return render(request, "telemetry/backtest.html", context, status=200 if asked.form.is_valid() else 400)


def _asked(request: HttpRequest) -> Asked:
    saved, user = _saved(request), cast(User, request.user)
    if request.method == "POST":
        form = BacktestForm(user, request.POST, instance=saved)
    elif saved is not None:
        form = BacktestForm(user, _fields(saved), instance=saved)
    else:
        raise Http404
    chosen = request.POST.get("range", "24h")
    key, end = chosen if chosen in RANGES else "24h", timezone.now()
    asked = Asked(form, saved, key, end - RANGES[key][1], end)
    if form.is_valid():
        asked.rule = rule = form.instance
        asked.readings = size(rule, asked.start, asked.end)
        asked.command = command_of(rule, saved is not None, asked.start)
        if asked.readings <= PAGE_READINGS:
            asked.report = backtest(rule, asked.start, asked.end)
    return asked


class Row(NamedTuple):
    """An alarm as the page lists it."""

    sensor: Sensor
    start: datetime
    lasted_s: float
    lasts: bool
    trigger: float
    peak: float


def _longest(report: Report | None) -> list[Row]:
    """In the order of their beginning."""
    if report is None:
        return []
    end_us = microseconds(report.end)
    rows = [
        Row(result.sensor, instant(each.start_us), each.lasts_us(end_us) / SECOND_US, each.end_us is None, *each[2:])
        for result in report.results
        for each in result.episodes
    ]
    longest = sorted(rows, key=lambda row: -row.lasted_s)[:SHOWN_ALARMS]
    return sorted(longest, key=lambda row: row.start)


def _advised(report: Report | None) -> list[tuple[str, float | None]]:
    """The fields of the form with the advice in them."""
    if report is None:
        return []
    advice = report.advice
    return list(zip(TRIED, (report.rule.setpoint, *advice[:3]), strict=True))


def _saved(request: HttpRequest) -> Rule | None:
    """The rule of `?rule=`; the form's values are not saved in it."""
    named = request.GET.get("rule")
    if not named:
        return None
    try:
        rule = Rule.objects.visible_to(request.user).filter(pk=UUID(named)).first()
    except ValueError:
        rule = None
    if rule is None:
        raise Http404
    return rule


def _fields(rule: Rule) -> dict[str, Any]:
    """As the form of this rule would send them."""
    fields = model_to_dict(rule, BacktestForm.Meta.fields)
    return fields | {"schedule": json.dumps(rule.schedule)}
