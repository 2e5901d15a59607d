"""A plant of any number of sensors, for loads: where its sensors are, and what they send."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sin, tau

from telemetry.simulator.drafts import Draft, Measured
from telemetry.simulator.noise import fraction_of

SENSORS_PER_MACHINE = 20
MACHINES_PER_ZONE = 10
SHORTEST_INTERVAL_S = 0.01  # of a sensor: times are told in milliseconds
CYCLE_S = 300.0  # in which a value goes up and down
MIDDLE, SWING = 50.0, 40.0


@dataclass(frozen=True, slots=True)
class Fleet:
    plant: str
    sensors: int

    def machines(self) -> Iterator[tuple[str, str, list[str]]]:
        """The slugs of zone and machine, and of the machine's sensors."""
        for number, first in enumerate(range(0, self.sensors, SENSORS_PER_MACHINE)):
            here = min(SENSORS_PER_MACHINE, self.sensors - first)
            zone, machine = f"line-{number // MACHINES_PER_ZONE + 1}", f"machine-{number + 1}"
            yield zone, machine, [f"value-{sensor + 1:02}" for sensor in range(here)]


def drafts(fleet: Fleet, start: float, interval_s: float, per_message: int, form: str, seed: int) -> Iterator[Draft]:
    """All that the fleet sends from `start` on, in order, evenly over time, without end.

    The same but for its times whenever it starts, for the same arguments.

    Args:
        interval_s: between two readings of a sensor.
        per_message: readings in a message. `machine` takes them from sensors of one machine, and more than that has at
            several times; `list` from one sensor; `number` and `object` hold one.
    """
    together = per_message if form == "machine" else 1
    groups = [
        (f"{fleet.plant}/{zone}/{machine}", slugs[first : first + together])
        for zone, machine, slugs in fleet.machines()
        for first in range(0, len(slugs), together)
    ]
    times = {"machine": max(1, per_message // SENSORS_PER_MACHINE), "list": per_message}.get(form, 1)
    start_ms = _even_ms(start)
    curves = [[_Curve(seed, f"{machine}/{slug}") for slug in slugs] for machine, slugs in groups]
    turn = 0
    while True:
        for group, (machine, slugs) in enumerate(groups):
            since_s = (turn + group / len(groups)) * times * interval_s
            measured = tuple(
                Measured(slug, start_ms + _even_ms(at_s), curve.value(at_s))
                for at_s in (since_s + past * interval_s for past in range(1 - times, 1))
                for slug, curve in zip(slugs, curves[group], strict=True)
            )
            yield Draft(start + since_s, machine, form, measured)
        turn += 1


def _even_ms(seconds: float) -> int:
    """To 2 ms: odd ones are left to clocks that are wrong (faults.skew)."""
    return round(seconds * 500) * 2


class _Curve:
    """What a sensor reads, by the seconds since the start; plain floats, for there are thousands a second."""

    def __init__(self, seed: int, address: str) -> None:
        self._phase = fraction_of(seed, address)
        self._cycle_s = CYCLE_S * (0.5 + fraction_of(seed, address, "cycle"))

    def value(self, at_s: float) -> float:
        slow = sin(tau * (at_s / self._cycle_s + self._phase))
        quick = sin(tau * (at_s * 0.37 + self._phase)) * 0.02
        return round(MIDDLE + SWING * (slow + quick), 2)
