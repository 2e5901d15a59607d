"""What an unknown sensor probably is, from its name and from what came of it. Pure.

A guess is what a person would type first and then correct: it decides nothing that cannot be changed afterwards.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import NamedTuple, TypedDict

from plants.models import Sensor

# What it measures and its unit, by a word of the sensor's slug. The last word that says something counts: the
# temperature of an oil is no oil.
MEASURES = {
    **dict.fromkeys(("temp", "temperature", "tmp"), ("temperature", "°C")),
    **dict.fromkeys(("pressure", "press"), ("pressure", "bar")),
    **dict.fromkeys(("humidity", "rh"), ("humidity", "%")),
    **dict.fromkeys(("moisture",), ("moisture", "%")),
    **dict.fromkeys(("rpm", "speed"), ("speed", "rpm")),
    **dict.fromkeys(("power",), ("power", "kW")),
    **dict.fromkeys(("energy",), ("energy", "kWh")),
    **dict.fromkeys(("current", "amp", "amps", "ampere"), ("current", "A")),
    **dict.fromkeys(("voltage", "volt", "volts"), ("voltage", "V")),
    **dict.fromkeys(("frequency", "freq"), ("frequency", "Hz")),
    **dict.fromkeys(("flow",), ("flow", "l/min")),
    **dict.fromkeys(("level",), ("level", "%")),
    **dict.fromkeys(("vibration", "vib"), ("vibration", "mm/s")),
    **dict.fromkeys(("weight", "mass"), ("weight", "kg")),
    **dict.fromkeys(("torque",), ("torque", "Nm")),
    **dict.fromkeys(("load",), ("load", "%")),
    **dict.fromkeys(("factor", "cosphi"), ("power factor", "")),
    **dict.fromkeys(("ph",), ("acidity", "pH")),
    **dict.fromkeys(("co2",), ("carbon dioxide", "ppm")),
    **dict.fromkeys(("count", "counter", "total", "cycles", "pieces", "pulses"), ("count", "")),
    **dict.fromkeys(("hours", "runtime"), ("running time", "h")),
    **dict.fromkeys(("state", "status", "mode"), ("state", "")),
}
# A unit as the last word, as in `oil-temp-f`: it goes before the one that is usual for what is measured.
UNITS = {
    **{"c": ("temperature", "°C"), "degc": ("temperature", "°C"), "celsius": ("temperature", "°C")},
    **{"f": ("temperature", "°F"), "degf": ("temperature", "°F"), "fahrenheit": ("temperature", "°F")},
    **{"bar": ("pressure", "bar"), "mbar": ("pressure", "mbar"), "pa": ("pressure", "Pa")},
    **{"kpa": ("pressure", "kPa"), "mpa": ("pressure", "MPa"), "psi": ("pressure", "psi")},
    **{"w": ("power", "W"), "kw": ("power", "kW"), "wh": ("energy", "Wh"), "kwh": ("energy", "kWh")},
    **{"a": ("current", "A"), "ma": ("current", "mA"), "v": ("voltage", "V"), "mv": ("voltage", "mV")},
    **{"hz": ("frequency", "Hz"), "khz": ("frequency", "kHz"), "rpm": ("speed", "rpm")},
    **{"pct": ("", "%"), "percent": ("", "%"), "kg": ("weight", "kg"), "g": ("weight", "g"), "t": ("weight", "t")},
    **{"lpm": ("flow", "l/min"), "m3h": ("flow", "m³/h"), "ppm": ("", "ppm"), "nm": ("torque", "Nm")},
    **{"mm": ("distance", "mm"), "cm": ("distance", "cm"), "m": ("distance", "m"), "mms": ("vibration", "mm/s")},
}
COUNTS = {"count", "counter", "total", "cycles", "pieces", "pulses", "energy", "kwh", "wh", "hours", "runtime"}
STATES = {"state", "status", "mode", "on", "off", "running", "enabled", "active", "open", "closed", "alarm", "fault"}
OFF = ("off", "stopped", "stop", "closed", "false", "no", "idle", "ok", "normal")  # labels that are usually 0

MOST_STATES = 50  # a sensor with more labels sends text
MOST_DECIMALS = 3
SURE_OF_SWITCH = 10  # samples of 0 and 1 after which nothing else is expected, whatever the name
STALE_AFTER_S = 300.0
MISSED = 3  # intervals without a sample after which a value is stale


class Seen(NamedTuple):
    """A quarantined sample, with a value or else a label."""

    time_us: int
    value: float | None
    label: str | None


class Guess(TypedDict):
    """Fields of the sensor."""

    name: str
    type: str
    unit: str
    kind: str
    states: dict[str, str]
    decimals: int
    expected_interval_s: float | None
    stale_after_s: float


def guess(slug: str, samples: Sequence[Seen], labels: Iterable[str] = ()) -> Guess:
    """The sensor of this slug, from samples in the order of their time, and from all labels that ever came."""
    words = re.split("[-_]+", slug)
    values = [each.value for each in samples if each.value is not None]
    states = _states(words, values, len(samples), sorted(set(labels) | {each.label for each in samples if each.label}))
    type_, unit = _measure(words)
    kind = Sensor.Kind.GAUGE
    if states:
        kind, type_, unit = Sensor.Kind.STATE, "state", ""
    elif COUNTS.intersection(words) and all(before <= after for before, after in pairwise(values)):
        kind = Sensor.Kind.COUNTER
    interval_s = _interval_s([each.time_us for each in samples])
    return Guess(
        name=name_of(slug),
        type=type_,
        unit=unit,
        kind=str(kind),
        states=states,
        decimals=max(map(_decimals, values), default=0 if states else 1),
        expected_interval_s=interval_s,
        stale_after_s=max(STALE_AFTER_S, MISSED * (interval_s or 0.0)),
    )


def name_of(slug: str) -> str:
    """`bearing-temp_2` → `Bearing temp 2`."""
    words = re.sub("[-_]+", " ", slug).strip()
    return words[:1].upper() + words[1:] or slug


def _measure(words: Sequence[str]) -> tuple[str, str]:
    last = words[-1]
    found = next(filter(None, map(_measured, reversed(words))), None)
    unit = UNITS.get(last)
    if unit and len(last) == 1 and (found is None or found[0] != unit[0]):
        unit = None  # motor-a
    if found and unit:
        return found[0], unit[1]
    return found or unit or ("", "")


def _measured(word: str) -> tuple[str, str] | None:
    return MEASURES.get(word) or MEASURES.get(word.rstrip("0123456789"))


def _states(words: Sequence[str], values: Sequence[float], samples: int, labels: Sequence[str]) -> dict[str, str]:
    """Labels by number; empty where it is no state."""
    if labels and len(labels) <= MOST_STATES and 2 * len(values) <= samples:
        ordered = sorted(labels, key=lambda label: (label.lower() not in OFF, label))
        return {str(number): label for number, label in enumerate(ordered)}
    is_switch = bool(values) and set(values) <= {0.0, 1.0} and not labels
    is_sure = len(values) >= SURE_OF_SWITCH and len(set(values)) > 1 and not COUNTS.intersection(words)
    if is_switch and (is_sure or STATES.intersection(words)):
        return {"0": "off", "1": "on"}
    return {}


def _decimals(value: float) -> int:
    """As many as it was sent with, up to a limit."""
    _, _, digits = f"{value:.{MOST_DECIMALS}f}".rstrip("0").partition(".")
    return len(digits)


def _interval_s(times_us: Sequence[int]) -> float | None:
    """The median distance, in a round number; none of fewer than three samples."""
    distances = [after - before for before, after in pairwise(times_us)]
    if len(distances) < 2:
        return None
    seconds = timedelta(microseconds=median(distances)).total_seconds()
    rounded = round(seconds) if seconds >= 1 else round(seconds, 3)
    return float(max(rounded, 0.001))
