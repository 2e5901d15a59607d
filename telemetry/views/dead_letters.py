"""The inbox of dead letters: a list with bulk actions, and each letter with its payload."""

from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from plants.models import Plant
from telemetry.letter_filter import NO_PLANT, STATES, LetterFilter, Place
from telemetry.models import DeadLetter
from telemetry.payloads import shown
from telemetry.queries.dead_letters import COUNTED, counts_by_reason, letter_page
from telemetry.replay import MAX_REPLAYED
from telemetry.views.access import for_operators
from telemetry.views.letter_actions import Choice, act


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
@never_cache
def dead_letters(request: HttpRequest) -> HttpResponse:
    """The letters that the filter in the URL asks for; a POST decides those chosen of them."""
    chosen = LetterFilter.from_query(request.GET)
    letters = DeadLetter.objects.visible_to(request.user)
    if request.method == "POST":
        return act(request, Choice.from_form(request.POST), chosen.applied_to(letters), _url(chosen))
    before, after, rest = (Place.parse(request.GET.get(name, "")) for name in ("before", "after", "rest"))
    reasons = counts_by_reason(chosen._replace(reason="").applied_to(letters))
    if chosen.reason:
        reasons.setdefault(chosen.reason, 0)  # shown as chosen though there is none
    plants = Plant.objects.visible_to(request.user)
    return render(
        request,
        "telemetry/dead_letters.html",
        {
            "page": "dead_letters",
            "filter": chosen,
            "wrong": chosen.wrong(request.GET, [each.slug for each in plants]),
            "states": [(state, state.capitalize()) for state in STATES],
            "letters": letter_page(chosen.applied_to(letters), before, after),
            "reasons": dict(reasons),  # of a Counter, templates take `items` for a key
            "total": reasons.total(),
            "matching": reasons[chosen.reason] if chosen.reason else reasons.total(),
            "counted": COUNTED,
            "plants": plants,
            "no_plant": NO_PLANT if cast(User, request.user).is_superuser else "",
            "rest": rest,
            "most": MAX_REPLAYED,
            "now": timezone.now(),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
@never_cache
def dead_letter(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All of one letter; a POST decides it."""
    letters = DeadLetter.objects.visible_to(request.user)
    letter = get_object_or_404(letters.select_related("plant", "decided_by"), pk=pk)
    if request.method == "POST":
        choice = Choice.from_form(request.POST)._replace(ids=[pk], everything=False)
        return act(request, choice, letters, reverse("dead_letter", args=[pk]))
    return render(
        request,
        "telemetry/dead_letter.html",
        {
            "page": "dead_letters",
            "letter": letter,
            "payload": shown(bytes(letter.payload), letter.is_truncated),
            "now": timezone.now(),
        },
    )


def _url(chosen: LetterFilter) -> str:
    return reverse("dead_letters", query=chosen.query())
