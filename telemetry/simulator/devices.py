"""Signals as what devices send, each with the moment at which it is due.

A machine's controller sends the quick sensors together on `…/t`; slow sensors are devices of their own and
send on `…/t/{sensor}`. Every device has its own phase, so that messages are spread over time.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from math import floor
from operator import attrgetter

import numpy as np

from plants.demo_factory import FAST_S, DemoPlant, Place, places
from plants.models import Sensor
from plants.scales import GOOD, UNCERTAIN
from telemetry.simulator.drafts import Draft, Measured
from telemetry.simulator.noise import Floats, fraction_of, key_of
from telemetry.simulator.signals import Signal

# Messages made in one pass over arrays: makes numpy's price per call vanish, and still takes only milliseconds.
AHEAD = 64


def usual_rate(plants: tuple[DemoPlant, ...]) -> float:
    """Readings a second of all sensors, each at its expected interval."""
    return sum(1 / place.sensor.interval_s for place in places(plants))


def drafts(plants: tuple[DemoPlant, ...], start: float, pace: float, seed: int = 0) -> Iterator[Draft]:
    """All that the plants' devices send from `start` on, in order, without end.

    `pace` 2.0 sends twice as often as the sensors' expected intervals say.
    """
    devices = []
    for _, of_machine in groupby(places(plants), attrgetter("machine_address")):
        controlled = []
        for place in of_machine:
            if place.sensor.slow:
                devices.append(_sensor_device(Signal(place, seed), start, pace))
            else:
                controlled.append(Signal(place, seed))
        devices.append(_controller(controlled, start, pace))
    return merge(*devices, key=attrgetter("due"))


def due_times(name: str, interval_s: float, start: float) -> Iterator[Floats]:
    """A device's moments from `start` on, `AHEAD` at a time, in whole milliseconds as devices stamp them.

    To 2 ms: odd ones are left to clocks that are wrong (faults.skew).
    """
    phase = fraction_of(name)
    number = floor(start / interval_s - phase) + 1
    while True:
        t = (np.arange(number, number + AHEAD) + phase) * interval_s
        yield np.round(t * 500) / 500
        number += AHEAD


def measured(place: Place, due: float, value: float, quality: int) -> Measured:
    """A value as its device writes it: some write a state as its label, and only what isn't good has a quality."""
    wired: float | int | str = value
    if place.sensor.kind == Sensor.Kind.STATE:
        speaks_labels = key_of(place.machine_address) % 2
        wired = place.sensor.states[str(int(value))] if speaks_labels else int(value)
    elif place.sensor.decimals == 0 and value.is_integer():
        wired = int(value)
    name = None if quality >= GOOD else "uncertain" if quality >= UNCERTAIN else "bad"
    return Measured(place.sensor.slug, round(due * 1000), wired, name)


def _controller(signals: list[Signal], start: float, pace: float) -> Iterator[Draft]:
    address = signals[0].place.machine_address
    for t in due_times(address, FAST_S / pace, start):
        columns = [_measured(signal, t) for signal in signals]
        for i, due in enumerate(t.tolist()):
            values = tuple(each for column in columns if (each := column[i]) is not None)
            if values:
                yield Draft(due, address, "machine", values)


def _sensor_device(signal: Signal, start: float, pace: float) -> Iterator[Draft]:
    place = signal.place
    for t in due_times(place.address, place.sensor.interval_s / pace, start):
        for due, value in zip(t.tolist(), _measured(signal, t), strict=True):
            if value is not None:
                yield Draft(due, place.machine_address, "object", (value,))


def _measured(signal: Signal, t: Floats) -> list[Measured | None]:
    """The values at these times; None where the sensor is silent."""
    columns = (t.tolist(), signal.value(t).tolist(), signal.quality(t).tolist(), signal.reports(t).tolist())
    return [
        measured(signal.place, due, value, quality) if reports else None
        for due, value, quality, reports in zip(*columns, strict=True)
    ]
