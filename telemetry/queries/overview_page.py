"""All that the overview reads: the plants in full, a key value of each zone, and how fast readings arrive."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from plants.models import Plant
from telemetry.attention import Concern, Worst, not_reporting, worst
from telemetry.queries.alarms import add_marks, marks_of_plants
from telemetry.queries.console import (
    MachineView,
    Pictogram,
    PlantView,
    SensorView,
    Standing,
    ZoneView,
    count_states,
    plant_views,
)
from telemetry.queries.plant_page import add_past
from telemetry.queries.rates import Rates, rates_by_sensor, rates_of_last_hour


@dataclass(frozen=True, slots=True)
class ZoneRow:
    zone: ZoneView
    machine: MachineView | None  # whose value stands for the zone
    key: SensorView | None


@dataclass(frozen=True, slots=True)
class PlantCard:
    view: PlantView
    zones: list[ZoneRow]
    rate: float  # readings a second
    rates: Rates
    worst: Worst | None


@dataclass(frozen=True, slots=True)
class Overview:
    cards: list[PlantCard]
    not_reporting: list[Concern]

    @property
    def machines(self) -> list[MachineView]:
        return [machine for card in self.cards for machine in card.view.machines]

    @property
    def states(self) -> list[tuple[Pictogram, int]]:
        return count_states(self.machines)

    @property
    def running(self) -> int:
        return dict(self.states).get("running", 0)

    @property
    def standings(self) -> Counter[Standing]:
        return sum((card.view.standings for card in self.cards), Counter[Standing]())

    @property
    def sensors(self) -> int:
        return self.standings.total()

    @property
    def rate(self) -> float:
        return sum(card.rate for card in self.cards)

    @property
    def rates(self) -> Rates:
        """Of all plants together, for the minutes in which one of them sent something."""
        total: defaultdict[datetime, float] = defaultdict(float)
        for card in self.cards:
            for minute, rate in card.rates:
                total[minute] += rate
        return sorted(total.items())


def key_of(zone: ZoneView) -> tuple[MachineView, SensorView] | None:
    """The first value of the zone's first machine that has one: its place in the process decides, not its state."""
    return next(((machine, machine.shown[0]) for machine in zone.machines if machine.shown), None)


def overview_page(plants: Sequence[Plant], now: datetime) -> Overview:
    """Eight queries, whatever the number of plants, machines and sensors."""
    views = plant_views(plants, now)
    machines = [machine for view in views for machine in view.machines]
    keys = [found[1].sensor.number for view in views for zone in view.zones if (found := key_of(zone))]
    add_past(machines, keys, now)
    add_marks(machines, marks_of_plants(plants, now))
    by_sensor = rates_by_sensor([each.sensor.number for view in views for each in view.sensors], now)
    by_minute = rates_of_last_hour([view.plant.slug for view in views], now)
    cards = [
        PlantCard(
            view,
            [ZoneRow(zone, *(key_of(zone) or (None, None))) for zone in view.zones],
            sum(by_sensor.get(each.sensor.number, 0) for each in view.sensors),
            by_minute[view.plant.slug],
            worst(view.machines),
        )
        for view in views
    ]
    return Overview(cards, [concern for _, concern in not_reporting(machines)])
