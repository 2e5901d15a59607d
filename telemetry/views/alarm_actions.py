"""What the pages do with the alarms chosen: acknowledge, shelve, comment, assign, and say what became of each."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmQuerySet, RefusedError, Source
from telemetry import formats
from telemetry.alarm_words import short_name
from telemetry.views.chosen import chosen_ids

MOST_AT_ONCE = 500  # alarms in one request: some seconds
MOST_TOLD = 8  # of those that could not be done, each in a line
SHELVES = ((15, "15 min"), (60, "1 h"), (240, "4 h"), (480, "8 h"), (1440, "1 day"), (10080, "7 days"))
DONE = {
    "acknowledge": "acknowledged",
    "shelve": "shelved",
    "unshelve": "back from the shelf",
    "comment": "commented",
    "assign": "assigned to you",
    "unassign": "assigned to nobody",
}
ASKS = {"shelve": "reason", "comment": "note"}  # actions that need words, and the field for them
ONE_EACH = ("acknowledge", "unshelve")  # buttons that name their alarm themselves


class Choice(NamedTuple):
    """What a form asks for: an action, and for which alarms."""

    action: str = ""
    ids: list[UUID] = []
    words: str = ""
    minutes: int = 60

    @classmethod
    def from_form(cls, form: QueryDict) -> "Choice":
        action, ids = form.get("action", ""), chosen_ids(form, "ids")
        for button in ONE_EACH:
            if found := chosen_ids(form, button):
                action, ids = button, found
        known = {minutes for minutes, _ in SHELVES}
        minutes = int(given) if (given := form.get("minutes", "")).isdecimal() and int(given) in known else 60
        return cls(action, ids, form.get(ASKS.get(action, ""), "").strip(), minutes)


class Refused(NamedTuple):
    title: str
    why: str


def act(request: HttpRequest, choice: Choice, alarms: AlarmQuerySet, url: str) -> HttpResponse:
    """Does it, leaves messages, and goes to `url`, which shows them. PermissionDenied for viewers."""
    user = cast(User, request.user)
    if not user.may_operate:
        raise PermissionDenied("Alarms are acknowledged, shelved and commented by operators of the plant.")
    url = _back(request) or url
    chosen = list(alarms.filter(pk__in=choice.ids[:MOST_AT_ONCE]).with_words())
    if choice.action not in DONE or not choice.ids:
        messages.warning(request, "Nothing was done, since no alarm was selected.")
    elif choice.action in ASKS and not choice.words:
        context = {"page": "alarms", "choice": choice, "chosen": chosen, "shelves": SHELVES, "url": url}
        return render(request, "telemetry/alarm_words.html", context)
    else:
        _do(request, choice, chosen, Actor(user, Source.PAGE))
    return HttpResponseRedirect(url)


def _back(request: HttpRequest) -> str:
    """The page of this site from which the form was sent, where it says so."""
    url = request.POST.get("next", "")
    return url if url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure()) else ""


def _do(request: HttpRequest, choice: Choice, chosen: list[Alarm], by: Actor) -> None:
    counts: Counter[str] = Counter()
    refused: list[Refused] = []
    for alarm in chosen:
        try:
            if _deed(choice, by)(alarm):
                counts["done"] += 1
            else:
                refused.append(Refused(alarm.title, already(alarm, choice.action)))
        except RefusedError as error:
            refused.append(Refused(alarm.title, str(error)))
    done = counts["done"]
    if done:
        messages.success(request, f"{done} alarm{'' if done == 1 else 's'} {DONE[choice.action]}.")
    if gone := len(set(choice.ids)) - len(chosen):
        refused.append(Refused(f"{gone} more", "Not found."))
    if refused:
        messages.warning(request, said_of(refused))


def _deed(choice: Choice, by: Actor) -> Callable[[Alarm], bool]:
    match choice.action:
        case "acknowledge":
            return lambda alarm: alarm.acknowledge(by)
        case "shelve":
            until = timezone.now() + timedelta(minutes=choice.minutes)
            return lambda alarm: alarm.shelve(by, until, choice.words)
        case "unshelve":
            return lambda alarm: alarm.unshelve(by)
        case "comment":
            return lambda alarm: alarm.comment(by, choice.words)
        case "assign":
            return lambda alarm: alarm.assign(by, by.user)
        case "unassign":
            return lambda alarm: alarm.assign(by, None)
    raise AssertionError(choice.action)


def already(alarm: Alarm, action: str) -> str:
    """Why there was nothing to do; `alarm` is as somebody else has left it."""
    if action == "acknowledge" and alarm.acknowledged_at:
        time = formats.format_day_clock(alarm.acknowledged_at, alarm.plant.tz, timezone.now())
        return f"Already acknowledged by {short_name(alarm.acknowledged_by)} at {time}."
    if action == "unshelve":
        return "It is not on the shelf any more."
    return f"It is {DONE[action]} already."


def said_of(refused: list[Refused]) -> str:
    """A list of those that were not done, each with its reason."""
    more = len(refused) - MOST_TOLD
    lines = format_html_join("", "<li><b>{}</b> {}</li>", refused[:MOST_TOLD])
    rest = format_html("<li>and {} more</li>", more) if more > 0 else ""
    return format_html("{} not changed:<ul>{}{}</ul>", len(refused), lines, rest)
