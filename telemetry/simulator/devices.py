"""Signals as the MQTT messages of devices, each with the moment at which it is due.

A machine's controller sends the quick sensors together on `…/t`; slow sensors are devices of their own and
send on `…/t/{sensor}`. Every device has its own phase, so that messages are spread over time.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from math import floor
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import orjson

from plants.demo_factory import FAST_S, DemoPlant, Place, places
from plants.models import Sensor
from plants.scales import GOOD, UNCERTAIN
from telemetry.simulator.noise import Floats, fraction_of, key_of
from telemetry.simulator.signals import Signal

# Messages made in one pass over arrays: makes numpy's price per call vanish, and still takes only milliseconds.
AHEAD = 64


class Publication(NamedTuple):
    """One message to publish at `due`, seconds since 1970 UTC."""

    due: float
    topic: str
    payload: bytes
    readings: int


def publications(plants: tuple[DemoPlant, ...], start: float, rate: float, seed: int = 0) -> Iterator[Publication]:
    """All messages of the plants' devices due from `start` on, in order, without end.

    `rate` 2.0 sends twice as often as the sensors' expected intervals say.
    """
    devices = []
    for _, of_machine in groupby(places(plants), attrgetter("machine_address")):
        controlled = []
        for place in of_machine:
            if place.sensor.slow:
                devices.append(_sensor_device(Signal(place, seed), start, rate))
            else:
                controlled.append(Signal(place, seed))
        devices.append(_controller(controlled, start, rate))
    return merge(*devices, key=attrgetter("due"))


def due_times(name: str, interval_s: float, start: float) -> Iterator[Floats]:
    """A device's moments from `start` on, `AHEAD` at a time, in whole milliseconds as devices stamp them."""
    phase = fraction_of(name)
    number = floor(start / interval_s - phase) + 1
    while True:
        t = (np.arange(number, number + AHEAD) + phase) * interval_s
        yield np.round(t, 3)
        number += AHEAD


def machine_payload(due: float, values: dict[str, Any]) -> bytes:
    """`{"ts": …, "values": {sensor: value}}`."""
    return orjson.dumps({"ts": round(due * 1000), "values": values})


def sensor_payload(due: float, value: Any) -> bytes:
    """`{"v": …, "ts": …}`, with `q` where the quality isn't good."""
    body = value if isinstance(value, dict) else {"v": value}
    return orjson.dumps({**body, "ts": round(due * 1000)})


def wire_value(place: Place, value: float, quality: int) -> Any:
    """A value as its device writes it: some write a state as its label, and only what isn't good has a quality."""
    wired: float | int | str = value
    if place.sensor.kind == Sensor.Kind.STATE:
        speaks_labels = key_of(place.machine_address) % 2
        wired = place.sensor.states[str(int(value))] if speaks_labels else int(value)
    elif place.sensor.decimals == 0 and value.is_integer():
        wired = int(value)
    if quality >= GOOD:
        return wired
    return {"v": wired, "q": "uncertain" if quality >= UNCERTAIN else "bad"}


def _controller(signals: list[Signal], start: float, rate: float) -> Iterator[Publication]:
    address = signals[0].place.machine_address
    topic = f"inqube/v1/{address}/t"
    for t in due_times(address, FAST_S / rate, start):
        columns = [(signal.place.sensor.slug, _wired(signal, t)) for signal in signals]
        for i, due in enumerate(t.tolist()):
            values = {slug: column[i] for slug, column in columns if column[i] is not None}
            if values:
                yield Publication(due, topic, machine_payload(due, values), len(values))


def _sensor_device(signal: Signal, start: float, rate: float) -> Iterator[Publication]:
    place = signal.place
    topic = f"inqube/v1/{place.machine_address}/t/{place.sensor.slug}"
    for t in due_times(place.address, place.sensor.interval_s / rate, start):
        for due, value in zip(t.tolist(), _wired(signal, t), strict=True):
            if value is not None:
                yield Publication(due, topic, sensor_payload(due, value), 1)


def _wired(signal: Signal, t: Floats) -> list[Any]:
    """The values at these times as they go on the wire; None where the sensor is silent."""
    values, qualities = signal.value(t).tolist(), signal.quality(t).tolist()
    return [
        wire_value(signal.place, value, quality) if reports else None
        for value, quality, reports in zip(values, qualities, signal.reports(t).tolist(), strict=True)
    ]
