"""Signals sampled into columns for the database."""

import numpy as np

from plants.models import Sensor
from telemetry.ingest.store import Columns
from telemetry.simulator.signals import Signal

EVERY_S = 10  # enough for a believable day, and a fifth of what devices send
STATE_EVERY_S = 60  # beside every change


def history(signal: Signal, number: int, start: float, end: float) -> Columns:
    """The sensor's readings with start < time < end, oldest first; `number` is its `Sensor.number`."""
    is_state = signal.place.sensor.kind == Sensor.Kind.STATE
    step = STATE_EVERY_S if is_state else EVERY_S
    t = np.arange(np.floor(start / step) + 1, np.ceil(end / step)) * step
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
