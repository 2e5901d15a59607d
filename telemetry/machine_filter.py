"""Which machines the plant page shows: a filter that lives in the URL; `filter.js` applies the same one live."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, get_args

from telemetry.queries.console import MachineView

Show = Literal["all", "abnormal", "stale"]


def is_quiet(view: MachineView) -> bool:
    """Stale or silent."""
    return view.stale > 0


class MachineFilter(NamedTuple):
    show: Show = "all"
    zone: str = ""  # slug
    text: str = ""  # part of a machine's or sensor's name

    @classmethod
    def from_query(cls, query: Mapping[str, str], zones: Collection[str]) -> "MachineFilter":
        """`zones` are the plant's slugs. What is unknown filters nothing: an old link still shows the plant."""
        given = query.get("show", "all")
        show: Show = next((each for each in get_args(Show) if each == given), "all")
        zone = query.get("zone", "")
        return cls(show, zone if zone in zones else "", query.get("q", "").strip())

    def wrong(self, query: Mapping[str, str], zones: Collection[str]) -> str:
        """What of the query was not understood, in a sentence; `zones` are the plant's slugs."""
        if query.get("show") and query["show"] != self.show:
            return f"There is no filter “{query['show']}”: these are all. Filters are {', '.join(get_args(Show))}."
        if (zone := query.get("zone")) and zone not in zones:
            return f"The plant has no zone “{zone}”: these are the machines of all zones."
        return ""

    @property
    def is_active(self) -> bool:
        return self != MachineFilter()

    def matches(self, view: MachineView, zone: str) -> bool:
        if self.show == "abnormal" and not view.is_abnormal:
            return False
        if self.show == "stale" and not is_quiet(view):
            return False
        if self.zone and self.zone != zone:
            return False
        text = self.text.casefold()
        names = [view.machine.name, *(each.sensor.name for each in view.sensors)]
        return not text or any(text in name.casefold() for name in names)
