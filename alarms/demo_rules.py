"""The demo factory's rules: what its simulated faults, refills and silences break now and then."""

from typing import NamedTuple

from alarms.models import Rule
from plants.models import Machine, Plant, Sensor, Zone

FAULT = 3.0  # of plants.demo_factory.STATES


class DemoRule(NamedTuple):
    """About one sensor, by its address, or about all of a type in a plant or zone."""

    place: str  # `plant`, `plant/zone`, or `plant/zone/machine/sensor`
    kind: str
    setpoint: float | None
    severity: str
    advice: str
    sensor_type: str = ""
    deadband: float = 0
    on_delay_s: float = 0
    message: str = ""


SILENT = "See whether the machine's gateway has power and network."
TRIPPED = "Find the cause before you reset it."
SHAKES = "Compare with the free end. Look at belt, bearing and base."

RULES = (
    DemoRule("kandy", "no_data", None, "high", SILENT, "state"),
    DemoRule("kandy", "state", FAULT, "high", TRIPPED, "state", message="in fault"),
    DemoRule("kandy/rolling/roller-1/bearing-temp", "high", 80, "high", "Check the grease line.", deadband=3),
    DemoRule(
        "kandy/rolling/roller-1/bearing-temp",
        "high_high",
        90,
        "critical",
        "Stop the batch. Check the grease line and the roll pressure.",
        deadband=3,
        on_delay_s=5,
    ),
    DemoRule("kandy/rolling/roller-2/bearing-temp", "high", 80, "high", "Check the grease line.", deadband=3),
    DemoRule(
        "kandy/rolling/roller-2/bearing-temp",
        "high_high",
        90,
        "critical",
        "Stop the batch. Check the grease line and the roll pressure.",
        deadband=3,
        on_delay_s=5,
    ),
    DemoRule("kandy/rolling", "high", 7.1, "high", SHAKES, "vibration", deadband=0.8, on_delay_s=10),
    DemoRule("kandy/withering", "high", 6, "medium", SHAKES, "vibration", deadband=0.8, on_delay_s=10),
    DemoRule("kandy/fermenting-drying/fermenting-drum/bearing-temp", "high", 65, "high", "Check the oil.", deadband=3),
    DemoRule("kandy/fermenting-drying/dryer-1/fan-vibration", "high", 6.6, "high", SHAKES, deadband=0.8, on_delay_s=10),
    DemoRule("kandy/sorting/colour-sorter/rejected", "high", 6, "medium", "Clean the cameras.", deadband=1),
    DemoRule("kandy/sorting/packer/seal-temp", "high_high", 160, "high", "Stop sealing: bags burn.", deadband=4),
    DemoRule("rotterdam", "no_data", None, "high", SILENT, "state"),
    DemoRule("rotterdam", "state", FAULT, "high", TRIPPED, "state", message="in fault"),
    DemoRule(
        "rotterdam/blowing/blow-moulder/wheel-vibration", "high", 6.2, "high", SHAKES, deadband=0.8, on_delay_s=10
    ),
    DemoRule("rotterdam/filling/filler/cap-torque", "high", 2.4, "medium", "Set the capping head anew.", deadband=0.2),
    DemoRule("rotterdam/labelling/labeller/reel", "low", 18, "low", "Bring a new reel.", deadband=10),
    DemoRule("rotterdam/packing/case-packer/film-left", "low", 14, "low", "Bring a new roll of film.", deadband=10),
    DemoRule("rotterdam/packing/case-packer/servo-temp", "high", 77, "high", "Let it cool. Clean its fan.", deadband=4),
)


def build_rules() -> int:
    """Creates those that are missing; what somebody has made of the others stays. How many there were to create."""
    return sum(_build(each) for each in RULES)


def _build(demo: DemoRule) -> bool:
    plant_slug, *below = demo.place.split("/")
    plant = Plant.objects.get(slug=plant_slug)
    zone = Zone.objects.get(plant=plant, slug=below[0]) if len(below) == 1 else None
    sensor = None
    if len(below) > 1:
        machine = Machine.objects.get(zone__plant=plant, zone__slug=below[0], slug=below[1])
        sensor = Sensor.objects.get(machine=machine, slug=below[2])
    _, is_new = Rule.objects.get_or_create(
        plant=plant,
        zone=zone,
        sensor=sensor,
        sensor_type=demo.sensor_type,
        kind=demo.kind,
        defaults={
            "setpoint": demo.setpoint,
            "severity": demo.severity,
            "advice": demo.advice,
            "deadband": demo.deadband,
            "on_delay_s": demo.on_delay_s,
            "message": demo.message,
        },
    )
    return is_new
