"""What `manage.py simulate` publishes, from its arguments: drafts, their faults, the messages, and theirs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from plants.demo_factory import PLANTS
from telemetry.simulator import devices, fleet
from telemetry.simulator.drafts import Draft, Publication
from telemetry.simulator.faults import Faults
from telemetry.simulator.fleet import Fleet
from telemetry.simulator.forms import publications

USUAL_INTERVAL_S = 1.0  # of a fleet's sensors
NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class Load:
    """Which sensors, how much of them, in which form, and what goes wrong.

    Args:
        fleet: None is the demo factory.
        plant: of the demo factory; None is all of them.
        rate: readings a second; None is as often as the sensors are expected to send.
        form: one of forms.FORMS; None is as the devices do.
        duration_s: from the start; None is without end.
        count: messages, without those that are sent a second time; None is without end.
    """

    fleet: Fleet | None = None
    plant: str | None = None
    rate: float | None = None
    per_message: int = 1
    form: str | None = None
    seed: int = 0
    duration_s: float | None = None
    count: int | None = None
    faults: Faults = NO_FAULTS

    @property
    def is_bounded(self) -> bool:
        return self.duration_s is not None or self.count is not None

    @property
    def interval_s(self) -> float:
        """Between two readings of a sensor of the fleet."""
        return self.fleet.sensors / self.rate if self.fleet and self.rate else USUAL_INTERVAL_S


def stream(load: Load, start: float) -> Iterator[Publication]:
    """All messages that are due from `start` on, in order."""
    drafts = _drafts(load, start)
    if load.duration_s is not None:
        end = start + load.duration_s
        drafts = takewhile(lambda draft: draft.due < end, drafts)
    messages = publications(load.faults.on_drafts(drafts, load.seed, start), load.form)
    if load.count is not None:
        messages = _first(messages, load.count)
    return load.faults.on_publications(messages, load.seed)


def _drafts(load: Load, start: float) -> Iterator[Draft]:
    if load.fleet is not None:
        return fleet.drafts(load.fleet, start, load.interval_s, load.per_message, load.form or "object", load.seed)
    plants = tuple(plant for plant in PLANTS if load.plant in (None, plant.slug))
    pace = load.rate / devices.usual_rate(plants) if load.rate else 1.0
    return devices.drafts(plants, start, pace, load.seed)


def _first(messages: Iterable[Publication], count: int) -> Iterator[Publication]:
    for message in messages:
        if message.payload is not None:
            count -= 1
        yield message
        if count == 0:
            return
