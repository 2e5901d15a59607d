"""What of a plant needs a look: what does not report as expected, and the worst of all. `attention.js` judges alike."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Literal, NamedTuple

from telemetry.alarm_rows import Severity
from telemetry.queries.console import MachineView

Kind = Literal["fault", "silent", "bad", "unknown", "stale", "maintenance", "late"]

# The worst first. A machine that says it is in fault is sure; silence may hide anything; a bad value is known to be.
# Alarms stand among them: somebody has thought about how bad they are.
RANK: tuple[Kind | Severity, ...] = (
    "critical",
    "fault",
    "high",
    "silent",
    "bad",
    "unknown",
    "medium",
    "stale",
    "maintenance",
    "low",
    "late",
)
REPORTING: tuple[Kind, ...] = ("silent", "bad", "stale", "late")


class Concern(NamedTuple):
    """One thing about one machine. `since` is when its state began, or the last that was heard of the sensors meant."""

    machine: MachineView
    kind: Kind
    sensors: int  # how many are meant
    since: datetime | None

    @property
    def of(self) -> int:
        return len(self.machine.sensors)

    @property
    def is_state(self) -> bool:
        """About the machine, not about some of its sensors."""
        return self.kind in ("fault", "silent", "unknown", "maintenance")


def concerns(machine: MachineView) -> list[Concern]:
    """All about a machine; silent, it has nothing else to say."""
    state = machine.state.pictogram
    if state == "silent":
        return [Concern(machine, "silent", len(machine.sensors), machine.newest)]
    found: list[Concern] = []
    if state == "fault" or state == "unknown" or state == "maintenance":
        found.append(Concern(machine, state, 0, machine.since.time if machine.since else None))
    for kind in ("bad", "stale", "late"):
        times = [each.latest.time for each in machine.sensors if each.latest and each.standing == kind]
        if times:
            found.append(Concern(machine, kind, len(times), max(times) if kind == "bad" else min(times)))
    return found


class Worst(NamedTuple):
    """The first of the worst, and how many other machines have a concern."""

    concern: Concern
    others: int


def worst(machines: Sequence[MachineView]) -> Worst | None:
    """None where nothing is abnormal; of two that are equally bad the one that comes first on the page."""
    found = [each for machine in machines for each in concerns(machine)]
    if not found:
        return None
    first = min(found, key=lambda each: RANK.index(each.kind))
    return Worst(first, len({id(each.machine) for each in found}) - 1)


def outranks(severity: Severity, concern: Concern | None) -> bool:
    """Whether an alarm is worse than what is worst else."""
    return concern is None or RANK.index(severity) < RANK.index(concern.kind)


def not_reporting(machines: Iterable[MachineView]) -> list[tuple[datetime, Concern]]:
    """What does not report as expected, by the time of the last reading, the longest silent first."""
    found = [each for machine in machines for each in concerns(machine) if each.kind in REPORTING]
    return sorted(((each.since, each) for each in found if each.since), key=itemgetter(0))
