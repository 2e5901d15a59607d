"""Signals sampled into columns for the database."""

import numpy as np

from plants.models import Sensor
from telemetry.ingest.store import Columns
from telemetry.simulator.noise import Floats
from telemetry.simulator.signals import Signal

EVERY_S = 10  # enough for a believable day, and a fifth of what devices send
DENSE_S = 7200  # of the newest hours all that devices send: they are looked at closely, and missing readings shown
STATE_EVERY_S = 60  # beside every change


def history(signal: Signal, number: int, start: float, end: float, dense_from: float) -> Columns:
    """The sensor's readings with start < time < end, oldest first; `number` is its `Sensor.number`.

    From `dense_from` on as often as the device sends, before that as often as a believable day takes.
    """
    is_state = signal.place.sensor.kind == Sensor.Kind.STATE
    if is_state:
        t = _steps(start, end, STATE_EVERY_S)
    else:
        dense = _steps(max(start, dense_from), end, signal.place.sensor.interval_s)
        t = np.union1d(_steps(start, end, EVERY_S), dense)
    if is_state and start < end:
        changes = signal.course.changes(start, end)
        t = np.union1d(t, changes[changes > start])
    t = t[signal.reports(t)]
    return Columns(
        sensor=np.full(len(t), number, np.int32),
        time_us=t.astype(np.int64) * 1_000_000,  # both steps and changes are whole seconds
        value=signal.value(t),
        quality=signal.quality(t),
    )


def _steps(start: float, end: float, every_s: float) -> Floats:
    """The multiples of `every_s` with start < t < end."""
    return np.arange(np.floor(start / every_s) + 1, np.ceil(end / every_s)) * every_s
