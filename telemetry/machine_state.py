"""What a machine is doing, in one word, from its state sensor and the silence of the others."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from plants.scales import UNCERTAIN
from telemetry.freshness import Freshness

# Each has a pictogram. `waiting`: no reading yet. `none`: it reports, but no sensor says its state.
Pictogram = Literal[
    "running", "idle", "stopped", "fault", "maintenance", "other", "unknown", "silent", "waiting", "none"
]
BY_LABEL: dict[str, Pictogram] = {
    "running": "running",
    "idle": "idle",
    "stopped": "stopped",
    "fault": "fault",
    "maintenance": "maintenance",
}


class MachineState(NamedTuple):
    pictogram: Pictogram
    word: str


def label_of(states: dict[str, str], value: float) -> str | None:
    """The label of a state sensor's value, None where it has none."""
    return states.get(str(int(value))) if value == int(value) else None


def machine_state(
    freshness: Iterable[Freshness], label: str | None, quality: int | None, *, has_state: bool
) -> MachineState:
    """`freshness` of all the machine's sensors; `label` and `quality` of its state sensor's latest reading."""
    reported = [each for each in freshness if each != "none"]
    if not reported:
        return MachineState("waiting", "No data yet")
    if all(each == "stale" for each in reported):
        return MachineState("silent", "Silent")
    if not has_state:
        return MachineState("none", "")
    if quality is None or quality < UNCERTAIN or label is None:
        return MachineState("unknown", "State unknown")
    return MachineState(BY_LABEL.get(label.lower(), "other"), label[:1].upper() + label[1:])
