"""Which dead letters the page shows: a filter that lives in the URL, and a place in the list."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from django.db.models import Q

from plants.scales import instant, microseconds
from telemetry.models import DeadLetter
from telemetry.models.inbox import DeadLetterQuerySet
from telemetry.readings import Reason

NO_PLANT = "-"  # no slug
STATES = ("new", "replayed", "discarded", "all")


class LetterFilter(NamedTuple):
    state: str = "new"  # or another of STATES
    reason: str = ""
    plant: str = ""  # slug, or NO_PLANT
    source: str = ""  # plant/zone/machine, or less of it from the left

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "LetterFilter":
        """What is unknown filters nothing: an old link still shows the inbox."""
        state, reason = query.get("state", ""), query.get("reason", "")
        return cls(
            state if state in STATES else "new",
            reason if reason in set(Reason) else "",
            query.get("plant", ""),
            query.get("source", "").strip().strip("/"),
        )

    def wrong(self, query: Mapping[str, str], plants: Collection[str]) -> str:
        """What of the query was not understood, in a sentence; `plants` are the slugs that the reader sees."""
        if query.get("state") and query["state"] != self.state:
            return f"There is no state “{query['state']}”: these are the new letters. States are {', '.join(STATES)}."
        if query.get("reason") and not self.reason:
            return f"There is no reason “{query['reason']}”: these are the letters of all reasons."
        if self.plant not in {"", NO_PLANT, *plants}:
            return f"There is no plant “{self.plant}”, so no letter is from it."
        return ""

    @property
    def narrows(self) -> bool:
        """Whether it asks for more than a state."""
        return bool(self.reason or self.plant or self.source)

    def query(self) -> dict[str, str]:
        """The parameters of its URL, without what is as by default."""
        return {name: value for name, value in self._asdict().items() if value and (name, value) != ("state", "new")}

    def applied_to(self, letters: DeadLetterQuerySet) -> DeadLetterQuerySet:
        if self.state != "all":
            letters = letters.filter(state=self.state)
        if self.reason:
            letters = letters.filter(reason=self.reason)
        if self.plant == NO_PLANT:
            letters = letters.filter(plant=None)
        elif self.plant:
            letters = letters.filter(plant__slug=self.plant)
        if self.source:
            letters = letters.filter(Q(source=self.source) | Q(source__startswith=f"{self.source}/"))
        return letters


class Place(NamedTuple):
    """A letter's place in the list, which stays where it is when the letter goes."""

    received_at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{microseconds(self.received_at)}.{self.id}"

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        return cls(letter.received_at, letter.pk)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what is no place: the list then begins anew."""
        time_us, _, id = text.partition(".")
        try:
            return cls(instant(int(time_us)), UUID(id))
        except (ValueError, OverflowError):
            return None
