"""All that the plant page reads: the plant in full, since when its machines do what they do, and sparklines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from plants.models import Plant
from telemetry.queries.alarms import add_marks, marks_of_plants
from telemetry.queries.console import MachineView, PlantView, plant_views
from telemetry.queries.rates import Rates, rates_of_last_hour, readings_a_second
from telemetry.queries.sparklines import sparklines
from telemetry.queries.state_changes import state_changes


@dataclass(frozen=True, slots=True)
class PlantPage:
    view: PlantView
    rate: float  # readings a second
    rates: Rates


def plant_page(plant: Plant, now: datetime) -> PlantPage:
    """Eight queries, whatever the number of machines and sensors."""
    (view,) = plant_views([plant], now)
    add_past(view.machines, [each.sensor.number for machine in view.machines for each in machine.shown], now)
    add_marks(view.machines, marks_of_plants([plant], now))
    rate = readings_a_second([each.sensor.number for each in view.sensors], now)
    return PlantPage(view, rate, rates_of_last_hour([plant.slug], now)[plant.slug])


def add_past(machines: Sequence[MachineView], numbers: Sequence[int], now: datetime) -> None:
    """Adds since when the machines do what they do, and to the sensors of these numbers their last hour."""
    points = sparklines(numbers, now)
    states = [state.sensor.number for machine in machines if (state := machine.state_sensor) is not None]
    since = state_changes(states)
    for machine in machines:
        if (state := machine.state_sensor) is not None:
            machine.since = since.get(state.sensor.number)
        machine.sensors = [replace(each, points=points.get(each.sensor.number, [])) for each in machine.sensors]
