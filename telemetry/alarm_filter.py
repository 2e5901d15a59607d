"""Which alarms the page shows: a filter that lives in the URL, and a place in the list of closed ones."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple, Self, get_args
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q

from alarms.models import Alarm, AlarmQuerySet
from plants.scales import instant, microseconds
from telemetry.alarm_rows import Severity

SHOWN = ("open", "shelved", "closed")


class AlarmFilter(NamedTuple):
    """`?show=closed&plant=kandy&severity=high&q=roller`."""

    show: str = "open"  # or another of SHOWN
    plant: str = ""  # slug
    severity: str = ""
    text: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "AlarmFilter":
        """What is unknown filters nothing: an old link still shows alarms."""
        show, severity = query.get("show", ""), query.get("severity", "")
        return cls(
            show if show in SHOWN else "open",
            query.get("plant", ""),
            severity if severity in get_args(Severity) else "",
            query.get("q", "").strip(),
        )

    def wrong(self, query: Mapping[str, str], plants: Collection[str]) -> str:
        """What of the query was not understood, in a sentence; `plants` are the slugs that the reader sees."""
        if query.get("severity") and not self.severity:
            return f"There is no severity “{query['severity']}”: these are the alarms of all severities."
        if self.plant and self.plant not in plants:
            return f"There is no plant “{self.plant}”, so no alarm is of it."
        return ""

    @property
    def narrows(self) -> bool:
        """Whether it asks for more than a tab."""
        return bool(self.plant or self.severity or self.text)

    def query(self, **changes: str) -> dict[str, str]:
        """The parameters of its URL, without what is as by default."""
        show, plant, severity, text = self._replace(**changes)
        pairs = (("show", show if show != "open" else ""), ("plant", plant), ("severity", severity), ("q", text))
        return {name: value for name, value in pairs if value}

    def link(self, **changes: str) -> str:
        return f"?{urlencode(self.query(**changes))}"

    def link_of(self, severity: str) -> str:
        """The same for another severity; the one that is chosen leads back to all."""
        return self.link(severity="" if severity == self.severity else severity)

    def applied_to(self, alarms: AlarmQuerySet) -> AlarmQuerySet:
        """Of plant and words; the severity is the list's own, which counts the others, too."""
        if self.plant:
            alarms = alarms.filter(plant__slug=self.plant)
        if self.text:
            words = Q(title__icontains=self.text) | Q(sensor__name__icontains=self.text)
            words |= Q(machine__name__icontains=self.text) | Q(machine__zone__name__icontains=self.text)
            alarms = alarms.filter(words)
        return alarms


class Place(NamedTuple):
    """An alarm's place among the closed ones, newest first."""

    raised_at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{microseconds(self.raised_at)}.{self.id}"

    @classmethod
    def of(cls, alarm: Alarm) -> Self:
        return cls(alarm.raised_at, alarm.pk)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what is no place: the list then begins anew."""
        time_us, _, id = text.partition(".")
        try:
            return cls(instant(int(time_us)), UUID(id))
        except (ValueError, OverflowError):
            return None

    def behind(self, alarms: AlarmQuerySet) -> AlarmQuerySet:
        return alarms.filter(Q(raised_at__lt=self.raised_at) | Q(raised_at=self.raised_at, id__gt=self.id))
