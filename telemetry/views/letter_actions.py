"""What the pages of dead letters do with those chosen: replay, discard, and say what became of them."""

from collections.abc import Mapping
from typing import NamedTuple, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.timezone import now

from accounts.models import User
from telemetry.letter_filter import Place
from telemetry.models import DeadLetter
from telemetry.models.inbox import DeadLetterQuerySet
from telemetry.replay import MAX_REPLAYED, Outcome, Summary, replay, summary
from telemetry.views.chosen import chosen_ids

MAX_DISCARDED = 20_000  # letters in one request: about a second


class Choice(NamedTuple):
    """What a form asks for: an action, and for which of the letters."""

    action: str = ""
    ids: list[UUID] = []
    everything: bool = False  # that the filter matches
    rest: Place | None = None  # from which a replay of everything goes on
    is_confirmed: bool = False

    @classmethod
    def from_form(cls, form: QueryDict) -> "Choice":
        return cls(
            form.get("action", ""),
            chosen_ids(form, "letter"),
            "everything" in form,
            Place.parse(form.get("rest", "")),
            "confirmed" in form,
        )

    def of(self, letters: DeadLetterQuerySet) -> DeadLetterQuerySet:
        """Those of the letters that are still to be decided, oldest first."""
        letters = letters.new().order_by("received_at", "pk")
        if not self.everything:
            return letters.filter(pk__in=self.ids)
        return letters.newer_than(*self.rest) if self.rest else letters


def act(request: HttpRequest, choice: Choice, letters: DeadLetterQuerySet, url: str) -> HttpResponse:
    """Does it, leaves messages, and goes to `url`, which shows them."""
    chosen = choice.of(letters)
    if not choice.everything and not choice.ids:
        messages.warning(request, "Nothing was done, since no letter was selected. Select some, or all that match.")
    elif choice.action == "replay":
        url = _replay(request, chosen, url)
    elif choice.action == "discard" and not choice.is_confirmed:
        count = chosen.order_by()[: MAX_DISCARDED + 1].count()
        return render(
            request,
            "telemetry/discard.html",
            {"page": "dead_letters", "choice": choice, "count": count, "most": MAX_DISCARDED, "url": url},
        )
    elif choice.action == "discard":
        _discard(request, chosen)
    return HttpResponseRedirect(url)


def _replay(request: HttpRequest, chosen: DeadLetterQuerySet, url: str) -> str:
    """Gives the URL with `rest`, if there is one."""
    letters = list(chosen[: MAX_REPLAYED + 1])
    outcomes = list(replay(letters[:MAX_REPLAYED], cast(User, request.user), now(), settings.RAW_RETENTION_DAYS))
    done = summary(outcomes)
    said = render_to_string("telemetry/_replayed.html", {"done": done, "kept": by_reason(done), "tried": len(outcomes)})
    messages.add_message(request, messages.WARNING if done.kept else messages.SUCCESS, said)
    if len(letters) <= MAX_REPLAYED:
        return url
    return f"{url}{'&' if '?' in url else '?'}rest={Place.of(outcomes[-1].letter)}"


def _discard(request: HttpRequest, chosen: DeadLetterQuerySet) -> None:
    ids = chosen.order_by().values("pk")[:MAX_DISCARDED]
    discarded = DeadLetter.objects.filter(pk__in=ids).discard(cast(User, request.user), now())
    more = " More match: discard again." if discarded == MAX_DISCARDED else ""
    messages.success(request, f"{discarded:,} discarded.{more}".replace(",", "\u202f"))


class Kept(NamedTuple):
    """Letters that stay, for one reason; the first of them stands for all."""

    first: Outcome
    letters: int


def by_reason(done: Summary) -> Mapping[str, Kept]:
    """`""` where a replay was not tried."""
    found: dict[str, Kept] = {}
    for each in done.kept:
        reason = "" if each.detail else str(each.rejected[0].reason)
        first, letters = found.get(reason, Kept(each, 0))
        found[reason] = Kept(first, letters + 1)
    return found
