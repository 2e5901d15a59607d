"""The demo factory as plain data: two plants in two time zones, 12 machines, 120 sensors.

`build` writes it into the database; the simulator reads the same data without one. What a sensor reads at
rest and while its machine runs stands here beside its range, so that one line says all about a sensor.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.db import transaction

from plants.models import Machine, Plant, Sensor, Zone

STATES = {"0": "stopped", "1": "running", "2": "idle", "3": "fault", "4": "maintenance"}
FAST_S = 2.0  # what a machine's controller sends together
SLOW_S = 5.0  # what changes slowly, sent by sensors of their own


class Swing(NamedTuple):
    """A load that comes and goes: charges, batches, refills."""

    period_s: float
    amplitude: float


@dataclass(frozen=True, slots=True)
class DemoSensor:
    """One sensor. `rest` and `running` are what it reads while its machine stands or runs, `strained` what it
    approaches in the minutes before a fault. A counter's `running` is its growth in an hour of running."""

    slug: str
    name: str
    type: str
    unit: str
    low: float | None
    high: float | None
    running: float
    rest: float = 0.0
    noise: float = 0.0
    decimals: int = 1
    kind: str = Sensor.Kind.GAUGE
    slow: bool = False
    strained: float | None = None
    swing: Swing | None = None
    resets_daily: bool = False

    @property
    def interval_s(self) -> float:
        return SLOW_S if self.slow else FAST_S

    @property
    def stale_after_s(self) -> float:
        return 30 * self.interval_s  # a minute of silence for most

    @property
    def states(self) -> dict[str, str]:
        return STATES if self.kind == Sensor.Kind.STATE else {}


@dataclass(frozen=True, slots=True)
class DemoMachine:
    slug: str
    name: str
    type: str
    sensors: tuple[DemoSensor, ...]  # in order of importance: the first three are its key values


@dataclass(frozen=True, slots=True)
class DemoZone:
    slug: str
    name: str
    kind: str
    machines: tuple[DemoMachine, ...]


@dataclass(frozen=True, slots=True)
class DemoPlant:
    slug: str
    name: str
    location: str
    timezone: str
    zones: tuple[DemoZone, ...]  # in process order


class Place(NamedTuple):
    """A sensor with all that surrounds it."""

    plant: DemoPlant
    zone: DemoZone
    machine: DemoMachine
    sensor: DemoSensor

    @property
    def machine_address(self) -> str:
        return f"{self.plant.slug}/{self.zone.slug}/{self.machine.slug}"

    @property
    def address(self) -> str:
        return f"{self.machine_address}/{self.sensor.slug}"


def places(plants: "tuple[DemoPlant, ...]") -> Iterator[Place]:
    """Every sensor of the plants, machine by machine."""
    for plant in plants:
        for zone in plant.zones:
            for machine in zone.machines:
                for sensor in machine.sensors:
                    yield Place(plant, zone, machine, sensor)


def _today(slug: str, name: str, unit: str, per_hour: float) -> DemoSensor:
    """Pieces since the plant's midnight."""
    return DemoSensor(
        slug, name, "count", unit, 0, 60 * per_hour, per_hour, decimals=0, kind=Sensor.Kind.COUNTER, resets_daily=True
    )


def _energy(kw: float) -> DemoSensor:
    """The electricity meter: it only grows."""
    return DemoSensor("energy", "Energy", "energy", "kWh", 0, 9_999_999, kw, kind=Sensor.Kind.COUNTER, slow=True)


STATE = DemoSensor("state", "State", "state", "", None, None, 1, decimals=0, kind=Sensor.Kind.STATE, slow=True)

TROUGH = (
    DemoSensor(
        "leaf-moisture", "Leaf moisture", "moisture", "%", 40, 85, 66, 63, 0.8, swing=Swing(19_000, 7), slow=True
    ),
    DemoSensor("air-temp", "Air temp.", "temperature", "°C", 10, 45, 27.6, 24, 0.7, swing=Swing(2_700, 0.8)),
    DemoSensor("fan-speed", "Fan speed", "speed", "rpm", 0, 1_000, 742, 0, 9, decimals=0),
    DemoSensor("air-humidity", "Air humidity", "humidity", "%", 30, 100, 71, 78, 2.5, slow=True),
    DemoSensor("air-flow", "Air flow", "flow", "m³/h", 0, 30_000, 21_400, 0, 420, decimals=0),
    DemoSensor("fan-current", "Fan current", "current", "A", 0, 30, 14.2, 0, 0.5, strained=19),
    DemoSensor("fan-vibration", "Fan vibration", "vibration", "mm/s", 0, 12, 1.9, 0.05, 0.35, 2, strained=6.8),
    DemoSensor("power", "Power", "power", "kW", 0, 20, 7.6, 0.2, 0.3, 2),
    _energy(7.6),
    STATE,
)

ROLLER = (
    DemoSensor("motor-current", "Motor current", "current", "A", 0, 80, 42, 0, 1.6, strained=63, swing=Swing(1_080, 5)),
    DemoSensor("bearing-temp", "Bearing temp.", "temperature", "°C", 5, 120, 61, 29, 1.8, strained=94),
    DemoSensor("vibration", "Vibration", "vibration", "mm/s", 0, 15, 2.7, 0.05, 0.5, 2, strained=7.9),
    DemoSensor("table-speed", "Table speed", "speed", "rpm", 0, 70, 44, 0, 0.6),
    DemoSensor("pressure", "Roll pressure", "pressure", "bar", 0, 8, 3.4, 0.1, 0.15, 2, swing=Swing(1_080, 0.5)),
    DemoSensor("leaf-temp", "Leaf temp.", "temperature", "°C", 10, 50, 31.4, 25, 0.8, slow=True),
    DemoSensor("gearbox-oil", "Gearbox oil", "temperature", "°C", 5, 110, 54, 28, 1.2, slow=True),
    DemoSensor("power", "Power", "power", "kW", 0, 45, 23.5, 0.3, 0.9, 2, swing=Swing(1_080, 2.6)),
    _energy(23.5),
    STATE,
)

FERMENTING_DRUM = (
    DemoSensor("leaf-temp", "Leaf temp.", "temperature", "°C", 15, 45, 28.9, 25, 0.6, swing=Swing(5_400, 1.1)),
    DemoSensor("humidity", "Humidity", "humidity", "%", 60, 100, 94, 84, 1.4, decimals=0),
    DemoSensor("drum-speed", "Drum speed", "speed", "rpm", 0, 3, 1.2, 0, 0.03, 2),
    DemoSensor("drive-current", "Drive current", "current", "A", 0, 25, 8.4, 0, 0.4, strained=15),
    DemoSensor("bearing-temp", "Bearing temp.", "temperature", "°C", 5, 100, 44, 27, 1.1, strained=71),
    DemoSensor("vibration", "Vibration", "vibration", "mm/s", 0, 10, 1.3, 0.04, 0.25, 2, strained=5.2),
    DemoSensor("mist-pressure", "Mist pressure", "pressure", "bar", 0, 10, 5.8, 4.9, 0.2, 2),
    DemoSensor("water-level", "Water level", "level", "%", 0, 100, 68, 70, 2, swing=Swing(9_600, 17), slow=True),
    _energy(4.3),
    STATE,
)

DRYER = (
    DemoSensor("inlet-air", "Inlet air", "temperature", "°C", 10, 140, 98.6, 46, 1.5, swing=Swing(1_700, 1.6)),
    DemoSensor("exhaust-air", "Exhaust air", "temperature", "°C", 10, 90, 52.3, 33, 1.0, swing=Swing(1_700, 0.9)),
    DemoSensor("moisture-out", "Moisture out", "moisture", "%", 1, 12, 3.1, 3.6, 0.3, slow=True),
    DemoSensor("feed", "Feed", "flow", "kg/h", 0, 500, 318, 0, 9, decimals=0, swing=Swing(1_300, 14)),
    DemoSensor("draught", "Draught", "pressure", "Pa", -80, 20, -38, -2, 2.5, decimals=0),
    DemoSensor("flue-gas", "Flue gas", "temperature", "°C", 20, 320, 214, 96, 4, decimals=0),
    DemoSensor("fan-speed", "Fan speed", "speed", "rpm", 0, 1_600, 1_180, 0, 11, decimals=0),
    DemoSensor("fan-vibration", "Fan vibration", "vibration", "mm/s", 0, 12, 2.2, 0.05, 0.4, 2, strained=7.4),
    _energy(18.2),
    STATE,
)

COLOUR_SORTER = (
    DemoSensor("throughput", "Throughput", "flow", "kg/h", 0, 600, 412, 0, 13, decimals=0),
    DemoSensor("rejected", "Rejected", "share", "%", 0, 20, 3.1, 0, 0.5, strained=7),
    DemoSensor("air-pressure", "Air pressure", "pressure", "bar", 0, 10, 6.2, 5.8, 0.15, 2, swing=Swing(240, 0.25)),
    DemoSensor("air-flow", "Air flow", "flow", "l/min", 0, 900, 540, 12, 24, decimals=0),
    DemoSensor("camera-temp", "Camera temp.", "temperature", "°C", 10, 80, 41, 29, 0.7, slow=True),
    DemoSensor("lamp-current", "Lamp current", "current", "A", 0, 12, 6.4, 0.2, 0.1, 2),
    DemoSensor("hopper-level", "Hopper level", "level", "%", 0, 100, 57, 57, 3, swing=Swing(1_500, 21), slow=True),
    DemoSensor("power", "Power", "power", "kW", 0, 8, 3.1, 0.4, 0.1, 2),
    _energy(3.1),
    STATE,
)

TEA_PACKER = (
    _today("bags-today", "Bags today", "bags", 260),
    DemoSensor("bag-weight", "Bag weight", "weight", "kg", 0, 30, 25.02, 25, 0.05, 2),
    DemoSensor("seal-temp", "Seal temp.", "temperature", "°C", 15, 190, 148, 60, 1.8, decimals=0, strained=166),
    DemoSensor("packing-speed", "Packing speed", "speed", "bags/min", 0, 8, 4.3, 0, 0.15),
    DemoSensor("air-pressure", "Air pressure", "pressure", "bar", 0, 10, 6.1, 5.7, 0.12, 2),
    DemoSensor("motor-current", "Motor current", "current", "A", 0, 20, 7.8, 0.1, 0.4, strained=13),
    DemoSensor("hopper-level", "Hopper level", "level", "%", 0, 100, 61, 61, 3, swing=Swing(2_100, 19), slow=True),
    DemoSensor("dust", "Dust", "concentration", "mg/m³", 0, 20, 3.2, 0.6, 0.6, 2, slow=True),
    _energy(3.9),
    STATE,
)

BLOW_MOULDER = (
    DemoSensor("oven-temp", "Oven temp.", "temperature", "°C", 15, 160, 108, 62, 1.4, swing=Swing(900, 1.2)),
    DemoSensor("blow-pressure", "Blow pressure", "pressure", "bar", 0, 40, 26.5, 4, 0.5, strained=19),
    _today("bottles-today", "Bottles today", "", 24_000),
    DemoSensor("speed", "Speed", "speed", "1/h", 0, 30_000, 24_000, 0, 190, decimals=0),
    DemoSensor("wheel-vibration", "Wheel vibration", "vibration", "mm/s", 0, 12, 2.1, 0.04, 0.4, 2, strained=6.9),
    DemoSensor("lamp-power", "Lamp power", "power", "kW", 0, 180, 112, 8, 2.5, swing=Swing(900, 3)),
    DemoSensor("cooling-water", "Cooling water", "temperature", "°C", 2, 30, 11.6, 9.5, 0.4, slow=True),
    DemoSensor("motor-current", "Motor current", "current", "A", 0, 120, 63, 1, 1.9, strained=86),
    _energy(138),
    STATE,
)

FILLER = (
    DemoSensor("fill-volume", "Fill volume", "volume", "ml", 480, 520, 501.2, 500, 0.8),
    DemoSensor("speed", "Speed", "speed", "1/h", 0, 30_000, 23_940, 0, 160, decimals=0),
    DemoSensor("product-flow", "Product flow", "flow", "l/min", 0, 300, 199, 0, 3.2),
    DemoSensor("bowl-level", "Bowl level", "level", "%", 0, 100, 62, 62, 2, swing=Swing(420, 5)),
    DemoSensor("bowl-pressure", "Bowl pressure", "pressure", "bar", 0, 8, 3.1, 2.6, 0.08, 2),
    DemoSensor("product-temp", "Product temp.", "temperature", "°C", 0, 30, 7.4, 9, 0.5, slow=True),
    DemoSensor("cap-torque", "Cap torque", "torque", "N·m", 0, 4, 1.72, 0, 0.09, 2, strained=2.6),
    _today("bottles-today", "Bottles today", "", 23_900),
    _energy(31),
    STATE,
)

LABELLER = (
    DemoSensor("speed", "Speed", "speed", "1/h", 0, 30_000, 23_880, 0, 210, decimals=0),
    DemoSensor("rejected", "Rejected", "share", "%", 0, 5, 0.42, 0, 0.11, 2, strained=1.9),
    DemoSensor("glue-temp", "Glue temp.", "temperature", "°C", 15, 190, 152, 88, 1.6, decimals=0),
    DemoSensor("glue-level", "Glue level", "level", "%", 0, 100, 58, 58, 1.5, swing=Swing(10_800, 24), slow=True),
    DemoSensor("reel", "Label reel", "level", "%", 0, 100, 52, 52, 1, swing=Swing(4_300, 38), slow=True),
    DemoSensor("web-tension", "Web tension", "force", "N", 0, 60, 24, 2, 0.9),
    DemoSensor("vacuum", "Vacuum", "pressure", "mbar", -900, 0, -612, -20, 11, decimals=0),
    DemoSensor("motor-current", "Motor current", "current", "A", 0, 30, 11.3, 0.3, 0.5, strained=18),
    _energy(9.4),
    STATE,
)

CASE_PACKER = (
    _today("pallets-today", "Pallets today", "", 14),
    DemoSensor("speed", "Speed", "speed", "cases/min", 0, 40, 16.6, 0, 0.4),
    DemoSensor("gripper-pressure", "Gripper pressure", "pressure", "bar", 0, 10, 5.9, 5.5, 0.12, 2, strained=4.2),
    DemoSensor("servo-temp", "Servo temp.", "temperature", "°C", 5, 110, 57, 26, 1.3, strained=83),
    DemoSensor("servo-current", "Servo current", "current", "A", 0, 40, 17.5, 0.4, 0.8, swing=Swing(130, 2.2)),
    DemoSensor("vibration", "Vibration", "vibration", "mm/s", 0, 12, 1.6, 0.03, 0.3, 2, strained=6.1),
    DemoSensor("film-left", "Film left", "level", "%", 0, 100, 51, 51, 1, swing=Swing(7_900, 40), slow=True),
    DemoSensor("hall-humidity", "Hall humidity", "humidity", "%", 20, 90, 48, 47, 2, slow=True),
    _energy(12.7),
    STATE,
)

PLANTS = (
    DemoPlant(
        "kandy",
        "Kandy Tea",
        "Kandy, Sri Lanka",
        "Asia/Colombo",
        (
            DemoZone(
                "withering",
                "Withering",
                Zone.Kind.AREA,
                (
                    DemoMachine("trough-1", "Trough 1", "withering trough", TROUGH),
                    DemoMachine("trough-2", "Trough 2", "withering trough", TROUGH),
                ),
            ),
            DemoZone(
                "rolling",
                "Rolling",
                Zone.Kind.LINE,
                (
                    DemoMachine("roller-1", "Roller 1", "tea roller", ROLLER),
                    DemoMachine("roller-2", "Roller 2", "tea roller", ROLLER),
                ),
            ),
            DemoZone(
                "fermenting-drying",
                "Fermenting and drying",
                Zone.Kind.LINE,
                (
                    DemoMachine("fermenting-drum", "Fermenting drum", "fermenter", FERMENTING_DRUM),
                    DemoMachine("dryer-1", "Dryer 1", "dryer", DRYER),
                ),
            ),
            DemoZone(
                "sorting",
                "Sorting",
                Zone.Kind.CELL,
                (
                    DemoMachine("colour-sorter", "Colour sorter", "sorter", COLOUR_SORTER),
                    DemoMachine("packer", "Packer", "packer", TEA_PACKER),
                ),
            ),
        ),
    ),
    DemoPlant(
        "rotterdam",
        "Rotterdam Bottling",
        "Rotterdam, Netherlands",
        "Europe/Amsterdam",
        (
            DemoZone(
                "blowing",
                "Blowing",
                Zone.Kind.LINE,
                (DemoMachine("blow-moulder", "Blow moulder", "blow moulder", BLOW_MOULDER),),
            ),
            DemoZone("filling", "Filling", Zone.Kind.LINE, (DemoMachine("filler", "Filler", "filler", FILLER),)),
            DemoZone(
                "labelling",
                "Labelling",
                Zone.Kind.LINE,
                (DemoMachine("labeller", "Labeller", "labeller", LABELLER),),
            ),
            DemoZone(
                "packing",
                "Packing",
                Zone.Kind.CELL,
                (DemoMachine("case-packer", "Case packer", "case packer", CASE_PACKER),),
            ),
        ),
    ),
)


@transaction.atomic
def build(plants: tuple[DemoPlant, ...] = PLANTS) -> dict[str, Sensor]:
    """Creates what is missing and brings what differs back to the data; returns the sensors by address.

    What others added beside it stays, and so do the fields that the data doesn't speak of.
    """
    return {address: sensor for demo in plants for address, sensor in _build_plant(demo).items()}


def _build_plant(demo: DemoPlant) -> dict[str, Sensor]:
    sensors = {}
    plant = _settle(
        Plant(slug=demo.slug),
        Plant.objects.filter(slug=demo.slug).first(),
        name=demo.name,
        location=demo.location,
        timezone=demo.timezone,
    )
    zones = {zone.slug: zone for zone in plant.zones.all()}
    for zone_position, demo_zone in enumerate(demo.zones):
        zone = _settle(
            Zone(plant=plant, slug=demo_zone.slug),
            zones.get(demo_zone.slug),
            name=demo_zone.name,
            kind=demo_zone.kind,
            position=zone_position,
        )
        machines = {machine.slug: machine for machine in zone.machines.all()}
        for position, demo_machine in enumerate(demo_zone.machines):
            machine = _settle(
                Machine(zone=zone, slug=demo_machine.slug),
                machines.get(demo_machine.slug),
                name=demo_machine.name,
                type=demo_machine.type,
                position=position,
            )
            for sensor in _build_sensors(machine, demo_machine):
                sensors[f"{demo.slug}/{zone.slug}/{machine.slug}/{sensor.slug}"] = sensor
    return sensors


def _build_sensors(machine: Machine, demo: DemoMachine) -> list[Sensor]:
    there = {sensor.slug: sensor for sensor in machine.sensors.all()}
    return [
        _settle(
            Sensor(machine=machine, slug=spec.slug),
            there.get(spec.slug),
            name=spec.name,
            type=spec.type,
            unit=spec.unit,
            kind=spec.kind,
            states=spec.states,
            decimals=spec.decimals,
            low=spec.low,
            high=spec.high,
            expected_interval_s=spec.interval_s,
            stale_after_s=spec.stale_after_s,
            position=position,
        )
        for position, spec in enumerate(demo.sensors)
    ]


Row = TypeVar("Row", Plant, Zone, Machine, Sensor)


def _settle(new: Row, there: Row | None, **fields: Any) -> Row:
    """`there` with these fields, saved if one of them differs; without it `new`, created."""
    row = there or new
    differing = [name for name, value in fields.items() if getattr(row, name) != value]
    for name in differing:
        setattr(row, name, fields[name])
    if there is None:
        row.save(force_insert=True)
    elif differing:
        row.save(update_fields=differing)
    return row
