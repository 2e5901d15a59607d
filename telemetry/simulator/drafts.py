"""What devices are about to send: measured values, and then the messages that carry them."""

from typing import NamedTuple

from telemetry.readings import Reason


class Measured(NamedTuple):
    """One value of one sensor, as its device writes it."""

    sensor: str  # the slug
    time_ms: int  # by the device's clock, since 1970 UTC
    value: float | int | str
    quality: str | None = None  # None is good
    faults: tuple[str, ...] = ()  # what has been done to it


class Draft(NamedTuple):
    """What a device of a machine has to say at `due`, seconds since 1970 UTC."""

    due: float
    machine: str  # plant/zone/machine
    form: str  # as the device sends it, one of forms.FORMS
    measured: tuple[Measured, ...]
    withheld: int = 0  # values that it would have sent, had it not lost its connection


class Publication(NamedTuple):
    """One message to publish at `due`, and what InQube should make of it."""

    due: float
    topic: str
    payload: bytes | None  # None: nothing is sent, it only counts what is withheld
    samples: int  # as the ledger counts them: one where the message cannot be taken apart
    reason: Reason | None = None  # why its samples cannot become readings
    faults: tuple[tuple[str, int], ...] = ()  # how many values, or messages, of each fault
    is_timed: bool = True  # each value with its time, by which InQube knows a reading that comes again
    is_repeated: bool = False
