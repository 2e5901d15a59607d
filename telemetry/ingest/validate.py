"""Stage 4 of 8 — validate: a sample of a known sensor into a reading, or the reason why not. Pure."""

from typing import NamedTuple

from plants.scales import instant
from telemetry.readings import KnownSensor, Reading, Reason, Rejected, Sample

FUTURE_US = 5 * 60 * 1_000_000  # how far a device's clock may run ahead
DAY_US = 86_400 * 1_000_000


class Window(NamedTuple):
    """The times that are accepted: earliest_us <= time <= latest_us."""

    earliest_us: int
    latest_us: int


def window(now_us: int, retention_days: int) -> Window:
    """[now − raw retention, now + 5 min]: older rows would be dropped at once, later ones can't be true."""
    return Window(now_us - retention_days * DAY_US, now_us + FUTURE_US)


def validate(sample: Sample, sensor: KnownSensor, accepted: Window) -> Reading | Rejected:
    """A reading, or Rejected: sensor inactive, time out of the window, or a label that isn't one."""
    address, time_us, value, quality = sample
    if not accepted.earliest_us <= time_us <= accepted.latest_us:
        return Rejected(address, Reason.TIMESTAMP_OUT_OF_RANGE, _out_of_range(time_us, accepted))
    if not sensor.is_active:
        return Rejected(address, Reason.SENSOR_INACTIVE, "The sensor is switched off in InQube. Activate it to store.")
    if isinstance(value, str):
        number = sensor.labels.get(value)
        if number is None:
            return Rejected(address, *_not_a_label(value, sensor))
        value = number
    return sensor.number, time_us, value, quality


def outside(sample: Sample, accepted: Window) -> Rejected | None:
    """Why a sample is refused whose time is out of the window; None where it is in."""
    address, time_us, _, _ = sample
    if accepted.earliest_us <= time_us <= accepted.latest_us:
        return None
    return Rejected(address, Reason.TIMESTAMP_OUT_OF_RANGE, _out_of_range(time_us, accepted))


def _out_of_range(time_us: int, accepted: Window) -> str:
    try:
        shown = instant(time_us).isoformat()
    except OverflowError:
        shown = f"{time_us // 1000} ms"
    if time_us > accepted.latest_us:
        return (
            f"The time {shown} is more than 5 minutes ahead: check the device's clock, and that ts is in milliseconds."
        )
    return f"The time {shown} is older than is kept: check the device's clock, and that ts is in milliseconds."


def _not_a_label(value: str, sensor: KnownSensor) -> tuple[Reason, str]:
    shown = value[:60]
    if sensor.labels:
        known = ", ".join(sorted(sensor.labels))
        return (
            Reason.UNKNOWN_STATE,
            f"“{shown}” is no state of this sensor; it knows: {known}. Send one of these, or add it to the sensor.",
        )
    if shown.replace(",", "", 1).lstrip("+-").isdecimal() and "," in shown:
        return (
            Reason.NOT_A_NUMBER,
            f'The value is the string "{shown}": the device sends a decimal comma. Send a number with a point.',
        )
    return (
        Reason.NOT_A_NUMBER,
        f'The value is the string "{shown}": send a number. Only state sensors take labels.',
    )
