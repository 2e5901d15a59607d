"""An alarm as pages show it: words that are ready to be read, in groups by whether somebody has seen it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Severity = Literal["critical", "high", "medium", "low"]
# cleared: over, but nobody has acknowledged it
Standing = Literal["raised", "acknowledged", "cleared", "shelved", "closed"]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
WAITING: tuple[Standing, ...] = ("raised", "cleared")  # for somebody to acknowledge them
CALLS: tuple[Standing, ...] = ("raised", "cleared", "acknowledged")  # the loudest first
STANDING_NAMES: dict[Standing, str] = {
    "raised": "Raised",
    "acknowledged": "Acknowledged",
    "cleared": "Cleared",
    "shelved": "Shelved",
    "closed": "Closed",
}
MOST_COUNTED = 99


class AlarmMark(NamedTuple):
    """The worst alarm of a sensor or machine, beside its value or name."""

    severity: Severity
    standing: Standing

    @property
    def is_active(self) -> bool:
        """Whether the value is beyond its limit now."""
        return self.standing in ("raised", "acknowledged")

    @property
    def rank(self) -> tuple[int, int]:
        """Less is worse; of equal severity what waits for somebody comes first."""
        return SEVERITIES.index(self.severity), CALLS.index(self.standing)


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One line of the list; times are told in the zone of the alarm's plant."""

    id: str
    severity: Severity
    standing: Standing
    title: str  # "Roller 2: bearing temperature high-high"
    place: str  # "Kandy Tea / Rolling"
    url: str = ""  # of its own page
    advice: str = ""
    held: int = 0  # alarms that are held under it
    occurrences: int = 1
    value: str = ""  # "96.4 °C", "peak 7.9 mm/s", "no data"
    limit: str = ""  # "limit 95"
    clock: str = ""  # "14:29:41"
    offset: str = ""  # "+05:30"
    ago: str = ""  # "2 min", or "lasted 52 s"
    said: str = ""  # of the standing: "not acknowledged", "N. Perera, 13:24"
    assigned: str = ""

    @property
    def wants_somebody(self) -> bool:
        return self.standing in WAITING

    @property
    def standing_name(self) -> str:
        return STANDING_NAMES[self.standing]

    @property
    def remarks(self) -> list[str]:
        """What stands behind the place: how often, what is held under it, what to do."""
        said = [f"raised {self.occurrences} times"] if self.occurrences > 1 else []
        if self.held:
            is_one = self.held == 1
            said.append(f"{self.held} alarm{'' if is_one else 's'} {'is' if is_one else 'are'} held under this one")
        return [*said, self.advice] if self.advice else said


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


class AlarmCounts(NamedTuple):
    """How many alarms call, by severity and whether somebody has acknowledged them."""

    waiting: Counter[Severity]
    acknowledged: Counter[Severity]

    @property
    def open(self) -> int:
        return self.waiting.total() + self.acknowledged.total()

    @property
    def of_severities(self) -> list[SeverityCount]:
        """Of every severity, also where there is none."""
        return [
            SeverityCount(
                each, self.waiting[each] + self.acknowledged[each], "raised" if self.waiting[each] else "acknowledged"
            )
            for each in SEVERITIES
        ]

    @property
    def present(self) -> list[SeverityCount]:
        return [each for each in self.of_severities if each.count]

    @property
    def worst(self) -> SeverityCount | None:
        return next(iter(self.present), None)

    def plus(self, other: "AlarmCounts") -> "AlarmCounts":
        return AlarmCounts(self.waiting + other.waiting, self.acknowledged + other.acknowledged)


def no_alarms() -> AlarmCounts:
    return AlarmCounts(Counter(), Counter())


def count_rows(rows: Sequence[AlarmRow]) -> AlarmCounts:
    waiting = Counter(row.severity for row in rows if row.wants_somebody)
    return AlarmCounts(waiting, Counter(row.severity for row in rows if not row.wants_somebody))


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
    of_filter: AlarmCounts | None = None  # of all severities, where the rows are of one, or not all of them

    @property
    def open(self) -> int:
        return self.counts.open

    @property
    def groups(self) -> list[tuple[str, list[AlarmRow]]]:
        named = (("Not acknowledged", self.waiting), ("Acknowledged", self.acknowledged))
        return [(name, rows) for name, rows in named if rows]

    @property
    def counts(self) -> AlarmCounts:
        return self.of_filter or count_rows([*self.waiting, *self.acknowledged])


@dataclass(frozen=True, slots=True)
class PlantAlarms:
    """All alarms of the reader that call, as every page's frame shows them."""

    by_plant: dict[str, AlarmCounts] = field(default_factory=dict)  # slug
    banner: AlarmBanner | None = None

    @property
    def counts(self) -> AlarmCounts:
        total = no_alarms()
        for each in self.by_plant.values():
            total = total.plus(each)
        return total

    @property
    def waiting(self) -> str:
        """`3` or `99+`; empty for none."""
        count = self.counts.waiting.total()
        return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")

    def of(self, slug: str) -> AlarmCounts:
        return self.by_plant.get(slug) or no_alarms()
