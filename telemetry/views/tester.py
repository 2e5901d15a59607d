"""The topic tester: paste a message, or take that of a dead letter, and see what ingest would make of it."""

from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from plants.scales import microseconds
from telemetry.forms import MessageForm
from telemetry.ingest.validate import window
from telemetry.models import DeadLetter
from telemetry.readings import Message
from telemetry.tester import Tested, examine
from telemetry.views.access import for_operators

MAX_SHOWN = 200  # samples of a message


class Answer(NamedTuple):
    """What a message would become."""

    shown: list[Tested]  # MAX_SHOWN at most, the rejected ones first
    stored: int
    rejected: int

    @property
    def hidden(self) -> int:
        return self.stored + self.rejected - len(self.shown)


@require_http_methods(["GET", "HEAD", "POST"])
@for_operators
@never_cache
def topic_tester(request: HttpRequest) -> HttpResponse:
    return render(request, "telemetry/topic_tester.html", {"page": "topic_tester", **tested(request)})


def tested(request: HttpRequest) -> dict[str, Any]:
    """The form with the answer, for the console's page and the admin's; of `?letter=` before anything is sent."""
    now = timezone.now()
    letter = _letter(request)
    if request.method == "POST":
        form = MessageForm(request.POST)
        if not form.is_valid():
            return {"form": form, "letter": letter, "now": now}
        message = Message(form.cleaned_data["topic"], form.cleaned_data["payload"].encode(), microseconds(now), None)
    elif letter:
        payload = bytes(letter.payload)
        form = MessageForm(initial={"topic": letter.topic, "payload": payload.decode(errors="replace")})
        message = Message(letter.topic, payload, microseconds(letter.received_at), None)
    else:
        return {"form": MessageForm(), "now": now}
    found = examine(message, request.user, window(microseconds(now), settings.RAW_RETENTION_DAYS))
    return {"form": form, "letter": letter, "now": now, "answer": _answer(found)}


def _letter(request: HttpRequest) -> DeadLetter | None:
    asked = request.GET.get("letter")
    if not asked:
        return None
    try:
        return get_object_or_404(DeadLetter.objects.visible_to(request.user), pk=UUID(asked))
    except ValueError:
        raise Http404 from None


def _answer(found: list[Tested]) -> Answer:
    rejected = sum(each.rejected is not None for each in found)
    by_trouble = sorted(found, key=lambda each: each.rejected is None)
    return Answer(by_trouble[:MAX_SHOWN], len(found) - rejected, rejected)
