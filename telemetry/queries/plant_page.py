"""All that the plant page reads: the plant in full, since when its machines do what they do, and sparklines."""

from dataclasses import dataclass, replace
from datetime import datetime

from plants.models import Plant
from telemetry.queries.console import PlantView, plant_views
from telemetry.queries.rates import readings_a_second
from telemetry.queries.sparklines import sparklines
from telemetry.queries.state_changes import state_changes


@dataclass(frozen=True, slots=True)
class PlantPage:
    view: PlantView
    rate: float  # readings a second


def plant_page(plant: Plant, now: datetime) -> PlantPage:
    """Six queries, whatever the number of machines and sensors."""
    (view,) = plant_views([plant], now)
    points = sparklines([each.sensor.number for machine in view.machines for each in machine.shown], now)
    since = state_changes(
        [state.sensor.number for machine in view.machines if (state := machine.state_sensor) is not None]
    )
    for machine in view.machines:
        if (state := machine.state_sensor) is not None:
            machine.since = since.get(state.sensor.number)
        machine.sensors = [replace(each, points=points.get(each.sensor.number, [])) for each in machine.sensors]
    return PlantPage(view, readings_a_second([each.sensor.number for each in view.sensors], now))
