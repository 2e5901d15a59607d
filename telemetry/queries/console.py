"""Plants as the console shows them: zones, machines and sensors with their latest readings, in three queries."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from plants.models import Machine, Plant, Sensor, Zone
from plants.scales import GOOD, UNCERTAIN
from telemetry.alarm_rows import AlarmMark
from telemetry.freshness import Freshness, freshness, on_change_freshness
from telemetry.machine_state import MachineState, Pictogram, label_of, machine_state
from telemetry.models import Latest
from telemetry.queries.state_changes import Since

SHOWN_SENSORS = 3  # rows of a machine's card

Quality = Literal["good", "uncertain", "bad"]
Standing = Literal["fresh", "late", "stale", "bad", "none"]  # what a sensor counts as: each one once


def quality_of(quality: int) -> Quality:
    """The quality byte in a word."""
    return "good" if quality >= GOOD else "uncertain" if quality >= UNCERTAIN else "bad"


@dataclass(frozen=True, slots=True)
class SensorView:
    """A sensor with its latest reading, if it has one."""

    sensor: Sensor
    latest: Latest | None
    freshness: Freshness
    points: list[tuple[datetime, float]] = field(default_factory=list)  # filled for the sensors with a sparkline
    alarm: AlarmMark | None = None

    @property
    def quality(self) -> Quality:
        return quality_of(self.latest.quality) if self.latest else "good"

    @property
    def standing(self) -> Standing:
        """Silence outranks quality: nobody knows whether a stale bad value is still bad."""
        return "bad" if self.quality == "bad" and self.freshness in ("fresh", "late") else self.freshness

    @property
    def label(self) -> str | None:
        """The latest value of a state sensor as its label."""
        return label_of(self.sensor.states, self.latest.value) if self.latest else None


@dataclass(slots=True)
class MachineView:
    machine: Machine
    sensors: list[SensorView]
    since: Since | None = None
    alarm: AlarmMark | None = None  # the worst of all that is on it

    @property
    def state_sensor(self) -> SensorView | None:
        return next((view for view in self.sensors if view.sensor.kind == Sensor.Kind.STATE), None)

    @property
    def shown(self) -> list[SensorView]:
        """The key values: the first sensors by position, besides the one that says the state."""
        state = self.state_sensor
        return [view for view in self.sensors if view is not state][:SHOWN_SENSORS]

    @property
    def state(self) -> MachineState:
        sensor = self.state_sensor
        return machine_state(
            (view.freshness for view in self.sensors),
            sensor.label if sensor else None,
            sensor.latest.quality if sensor and sensor.latest else None,
            has_state=sensor is not None,
        )

    @property
    def newest(self) -> datetime | None:
        """The time of the machine's newest reading."""
        return max((view.latest.time for view in self.sensors if view.latest), default=None)

    @property
    def stale(self) -> int:
        return sum(view.freshness == "stale" for view in self.sensors)

    @property
    def standings(self) -> Counter[Standing]:
        return Counter(sensor.standing for sensor in self.sensors)

    @property
    def is_abnormal(self) -> bool:
        if self.alarm is not None or self.state.pictogram == "fault":
            return True
        return any(view.standing in ("stale", "bad") for view in self.sensors)


@dataclass(frozen=True, slots=True)
class ZoneView:
    zone: Zone
    machines: list[MachineView]

    @property
    def states(self) -> list[tuple[Pictogram, int]]:
        """How many machines are in which state, the abnormal first: `[("fault", 1), ("running", 3)]`."""
        return count_states(self.machines)


@dataclass(frozen=True, slots=True)
class PlantView:
    plant: Plant
    zones: list[ZoneView]

    @property
    def machines(self) -> list[MachineView]:
        return [machine for zone in self.zones for machine in zone.machines]

    @property
    def sensors(self) -> list[SensorView]:
        return [sensor for machine in self.machines for sensor in machine.sensors]

    @property
    def states(self) -> list[tuple[Pictogram, int]]:
        return count_states(self.machines)

    @property
    def standings(self) -> Counter[Standing]:
        return Counter(sensor.standing for sensor in self.sensors)


# What needs a person first; a label of the plant's own comes after those that have a pictogram.
STATE_ORDER: tuple[Pictogram, ...] = (
    "fault",
    "unknown",
    "silent",
    "maintenance",
    "stopped",
    "idle",
    "other",
    "running",
    "none",
    "waiting",
)


def count_states(machines: Iterable[MachineView]) -> list[tuple[Pictogram, int]]:
    counts = Counter(machine.state.pictogram for machine in machines)
    return [(state, counts[state]) for state in STATE_ORDER if counts[state]]


def sensor_views(sensors: Iterable[Sensor], machines_own: Iterable[Sensor], now: datetime) -> list[SensorView]:
    """Sensors of one machine with the freshness of their latest readings.

    `machines_own` are all of the machine's that are in use, whichever are shown: those that report at an interval
    vouch for those that report on change.
    """
    regular = [own_freshness(each, now) for each in machines_own if each.expected_interval_s is not None]
    views = []
    for sensor in sensors:
        fresh = own_freshness(sensor, now)
        if sensor.expected_interval_s is None:
            fresh = on_change_freshness(fresh, regular)
        views.append(SensorView(sensor, latest_of(sensor), fresh))
    return views


def machine_views_of(sensors: Iterable[Sensor], now: datetime) -> list[MachineView]:
    """The machines of these sensors with them, each as fresh as on its machine's page; one query more.

    A machine also has those sensors that report at an interval and so vouch for others of these.
    """
    asked: dict[Machine, dict[object, Sensor]] = {}
    for sensor in sensors:
        asked.setdefault(sensor.machine, {})[sensor.pk] = sensor
    on_change = [each.machine_id for own in asked.values() for each in own.values() if each.expected_interval_s is None]
    vouching = Sensor.objects.filter(machine__in=on_change, is_active=True, expected_interval_s__isnull=False)
    regular: dict[object, list[Sensor]] = {}
    for sensor in vouching.select_related("latest"):
        regular.setdefault(sensor.machine_id, []).append(sensor)
    views = []
    for machine, own in asked.items():
        vouchers = regular.get(machine.pk, [])
        shown = [*own.values(), *(each for each in vouchers if each.pk not in own)]
        views.append(MachineView(machine, sensor_views(shown, vouchers, now)))
    return views


def latest_of(sensor: Sensor) -> Latest | None:
    return getattr(sensor, "latest", None)


def own_freshness(sensor: Sensor, now: datetime) -> Freshness:
    """By the sensor's own reading alone."""
    latest = latest_of(sensor)
    age_s = (now - latest.time).total_seconds() if latest else None
    return freshness(age_s, sensor.expected_interval_s, sensor.stale_after_s)


def plant_views(plants: Sequence[Plant], now: datetime) -> list[PlantView]:
    """These plants in full, active sensors only, zones and machines in their order on the page."""
    zones = Zone.objects.filter(plant__in=plants).order_by("position", "name")
    machines = Machine.objects.filter(zone__plant__in=plants).select_related("zone__plant").order_by("position", "name")
    sensors = (
        Sensor.objects.filter(machine__zone__plant__in=plants, is_active=True)
        .select_related("latest")
        .order_by("position", "name")
    )
    of_machine: dict[object, list[Sensor]] = {}
    for sensor in sensors:
        of_machine.setdefault(sensor.machine_id, []).append(sensor)
    of_zone: dict[object, list[MachineView]] = {}
    for machine in machines:
        own = of_machine.get(machine.pk, [])
        of_zone.setdefault(machine.zone_id, []).append(MachineView(machine, sensor_views(own, own, now)))
    of_plant: dict[object, list[ZoneView]] = {}
    for zone in zones:
        of_plant.setdefault(zone.plant_id, []).append(ZoneView(zone, of_zone.get(zone.pk, [])))
    return [PlantView(plant, of_plant.get(plant.pk, [])) for plant in plants]
