"""What a page's script needs to go on where the server's rendering ends, as plain JSON."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypedDict

from plants.models import Plant
from telemetry.queries.console import MachineView, PlantView, SensorView
from telemetry.queries.overview_page import PlantCard
from telemetry.queries.rates import Rates
from telemetry.queries.timeline import Stretch
from telemetry.queries.trend_page import TrendPage


class SensorData(TypedDict):
    number: int
    name: str
    kind: str
    unit: str
    decimals: int
    states: dict[str, str]
    low: float | None
    high: float | None
    interval: float | None
    stale: float
    reading: tuple[int, float, int] | None  # ms since 1970, value, quality
    points: list[tuple[int, float]]  # sparkline: ms since 1970, mean


class MachineData(TypedDict):
    id: str
    name: str
    zone: str
    state: int | None  # number of its state sensor
    shown: list[int]
    since: tuple[int, bool] | None  # ms since 1970, and whether a change was seen then
    sensors: list[SensorData]


class PlantHead(TypedDict):
    slug: str
    timezone: str
    now: int  # the server's clock, since ages are told by it


class MachinesData(PlantHead):
    machines: list[MachineData]  # some, or all, of the plant's


class PlantData(MachinesData):
    rates: list[tuple[int, float]]  # ms since 1970, readings a second


class OverviewData(PlantData):
    name: str
    rate: float


class LimitData(TypedDict):
    value: float
    kind: str  # HH, H, L, LL
    severity: str
    text: str


class TrendSensorData(TypedDict):
    number: int
    id: str
    address: str
    machine: str
    plant: str
    limits: list[LimitData]


class TrendData(TypedDict):
    plants: list[MachinesData]  # with the machines of the sensors shown
    shown: list[TrendSensorData]
    ranges: dict[str, int]  # milliseconds by name
    start: int
    end: int


StretchData = tuple[int, int, str, str]  # ms since 1970 of its begin and end, pictogram, word


def milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def sensor_data(view: SensorView) -> SensorData:
    sensor, latest = view.sensor, view.latest
    return {
        "number": sensor.number,
        "name": sensor.name,
        "kind": sensor.kind,
        "unit": sensor.unit,
        "decimals": sensor.decimals,
        "states": sensor.states,
        "low": sensor.low,
        "high": sensor.high,
        "interval": sensor.expected_interval_s,
        "stale": sensor.stale_after_s,
        "reading": (milliseconds(latest.time), latest.value, latest.quality) if latest else None,
        "points": [(milliseconds(time), mean) for time, mean in view.points],
    }


def machine_data(view: MachineView, zone: str) -> MachineData:
    state = view.state_sensor
    return {
        "id": str(view.machine.pk),
        "name": view.machine.name,
        "zone": zone,
        "state": state.sensor.number if state else None,
        "shown": [each.sensor.number for each in view.shown],
        "since": (milliseconds(view.since.time), view.since.changed) if view.since else None,
        "sensors": [sensor_data(each) for each in view.sensors],
    }


def plant_head(plant: Plant, now: datetime) -> PlantHead:
    return {"slug": plant.slug, "timezone": plant.timezone, "now": milliseconds(now)}


def plant_data(view: PlantView, rates: Rates, now: datetime) -> PlantData:
    return {
        **plant_head(view.plant, now),
        "machines": [machine_data(machine, zone.zone.slug) for zone in view.zones for machine in zone.machines],
        "rates": [(milliseconds(minute), rate) for minute, rate in rates],
    }


def overview_data(card: PlantCard, now: datetime) -> OverviewData:
    return {**plant_data(card.view, card.rates, now), "name": card.view.plant.name, "rate": card.rate}


def timeline_data(parts: list[Stretch]) -> list[StretchData]:
    return [(int(part.since * 1000), int(part.until * 1000), part.pictogram, part.word) for part in parts]


def trend_data(
    page: TrendPage, start: datetime, end: datetime, ranges: Mapping[str, timedelta], now: datetime
) -> TrendData:
    machines: dict[Plant, list[MachineData]] = {}
    for each in page.machines:
        machines.setdefault(each.machine.zone.plant, []).append(machine_data(each, each.machine.zone.slug))
    return {
        "plants": [{**plant_head(plant, now), "machines": own} for plant, own in machines.items()],
        "shown": [
            {
                "number": each.sensor.number,
                "id": str(each.sensor.pk),
                "address": each.sensor.address,
                "machine": each.sensor.machine.name,
                "plant": each.sensor.machine.zone.plant.slug,
                "limits": [
                    {"value": value, "kind": mark, "severity": severity, "text": words}
                    for value, mark, severity, words in each.limits
                ],
            }
            for each in page.sensors
        ],
        "ranges": {name: int(length.total_seconds() * 1000) for name, length in ranges.items()},
        "start": milliseconds(start),
        "end": milliseconds(end),
    }
