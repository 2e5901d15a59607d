"""An alarm as pages show it: words that are ready to be read, in groups by whether somebody has seen it."""

from dataclasses import dataclass, field
from typing import Literal, Self

from django.http import QueryDict

Severity = Literal["critical", "high", "medium", "low"]
Standing = Literal["raised", "acknowledged", "cleared", "shelved"]  # cleared: over, but nobody has acknowledged it

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class AlarmMark:
    """The worst alarm of a sensor, beside its value."""

    severity: Severity
    standing: Standing


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One line of the list; times are told in the zone of the alarm's plant."""

    id: str
    severity: Severity
    standing: Standing
    title: str  # "Roller 2: bearing temperature high-high"
    place: str  # "Kandy Tea / Rolling"
    url: str = ""  # where its sensor's trend is
    advice: str = ""
    value: str = ""  # "96.4 °C", "peak 7.9 mm/s", "no data"
    limit: str = ""  # "limit 95"
    clock: str = ""  # "14:29:41"
    offset: str = ""  # "+05:30"
    ago: str = ""  # "2 min", or "lasted 52 s"
    said: str = ""  # of the standing: "not acknowledged", "N. Perera, 13:24"
    assigned: str = ""

    @property
    def wants_somebody(self) -> bool:
        return self.standing in ("raised", "cleared")


@dataclass(frozen=True, slots=True)
class ShelvedRow:
    alarm: AlarmRow
    reason: str
    by: str
    until: str  # "16:00 +05:30"
    left: str  # "1 h 28 min left"
    left_percent: int


@dataclass(frozen=True, slots=True)
class SeverityCount:
    severity: Severity
    count: int
    standing: Standing  # raised if any of them is not acknowledged


@dataclass(frozen=True, slots=True)
class AlarmBanner:
    """`newest` is of the highest severity among those that nobody has acknowledged."""

    newest: AlarmRow
    count: int


@dataclass(frozen=True, slots=True)
class AlarmList:
    """Each group worst first, and of the same severity the newest first."""

    waiting: list[AlarmRow] = field(default_factory=list)
    acknowledged: list[AlarmRow] = field(default_factory=list)
    shelved: list[ShelvedRow] = field(default_factory=list)

    @property
    def open(self) -> int:
        return len(self.waiting) + len(self.acknowledged)

    @property
    def groups(self) -> list[tuple[str, list[AlarmRow]]]:
        named = (("Not acknowledged", self.waiting), ("Acknowledged", self.acknowledged))
        return [(name, rows) for name, rows in named if rows]

    @property
    def counts(self) -> list[SeverityCount]:
        """Of every severity, also where there is none."""
        counted = []
        for severity in SEVERITIES:
            waiting = sum(row.severity == severity for row in self.waiting)
            acknowledged = sum(row.severity == severity for row in self.acknowledged)
            counted.append(SeverityCount(severity, waiting + acknowledged, "raised" if waiting else "acknowledged"))
        return counted


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """What the list shows, kept in its URL: `?plant=kandy&severity=high&q=roller`."""

    plant: str = ""
    severity: str = ""
    text: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """Words that mean nothing are as if they were not there."""
        severity = query.get("severity", "")
        return cls(query.get("plant", ""), severity if severity in SEVERITIES else "", query.get("q", "").strip())

    @property
    def narrows(self) -> bool:
        return bool(self.plant or self.severity or self.text)

    def link(self, severity: str) -> str:
        """The same for another severity; the one that is chosen leads back to all."""
        chosen = QueryDict(mutable=True)
        for name, value in (("plant", self.plant), ("q", self.text)):
            if value:
                chosen[name] = value
        if severity != self.severity:
            chosen["severity"] = severity
        return f"?{chosen.urlencode()}"
