"""What the page of dead letters shows: a page of them, and how many there are by reason."""

from collections import Counter
from typing import NamedTuple

from telemetry.letter_filter import Place
from telemetry.models import DeadLetter
from telemetry.models.inbox import DeadLetterQuerySet

PAGE = 50
COUNTED = 10_000  # of the newest, by reason: some milliseconds


class LetterPage(NamedTuple):
    """Letters, newest first, and the places from which the pages beside this one go on."""

    letters: list[DeadLetter]
    newer: Place | None
    older: Place | None


def letter_page(letters: DeadLetterQuerySet, before: Place | None, after: Place | None) -> LetterPage:
    """The letters behind `before`, or those in front of `after`, or the newest."""
    found = letters.with_beginning().select_related("plant", "decided_by")
    if after:
        shown = list(found.newer_than(*after).order_by("received_at", "pk")[: PAGE + 1])
        has_newer, has_older = len(shown) > PAGE, True
        shown = shown[:PAGE][::-1]
    else:
        found = found.older_than(*before) if before else found
        shown = list(found.order_by("-received_at", "-pk")[: PAGE + 1])
        has_newer, has_older = before is not None, len(shown) > PAGE
        shown = shown[:PAGE]
    return LetterPage(
        shown,
        Place.of(shown[0]) if shown and has_newer else None,
        Place.of(shown[-1]) if shown and has_older else None,
    )


def counts_by_reason(letters: DeadLetterQuerySet) -> Counter[str]:
    """Of the newest COUNTED; most frequent first."""
    newest = letters.order_by("-received_at").values_list("reason", flat=True)[:COUNTED]
    return Counter(dict(Counter(newest).most_common()))
