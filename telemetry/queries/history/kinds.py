"""Which aggregates make sense for which kind of sensor."""

from collections.abc import Sequence
from typing import Literal, get_args

from plants.models import Sensor
from telemetry.queries.history.refused import RefusedError

Agg = Literal[
    "avg",
    "min",
    "max",
    "sum",
    "count",
    "first",
    "last",
    "delta",
    "twa",
    "percent_good",
    "count_all",
    "count_bad",
    "duration",
]
AGGREGATES: tuple[Agg, ...] = get_args(Agg)

OF_NUMBERS = set(AGGREGATES) - {"duration"}
# A state's number is a name: no mean lies between two of them.
OF_STATES = {"duration", "count", "count_all", "count_bad", "first", "last", "percent_good"}
COUNTS = {"count", "count_all", "count_bad"}  # which are 0 where nothing was read

BY_DEFAULT: dict[str, tuple[Agg, ...]] = {
    Sensor.Kind.GAUGE: ("avg", "min", "max"),
    Sensor.Kind.COUNTER: ("delta", "last"),
    Sensor.Kind.STATE: ("duration",),
}
OF_ORDER = {"first", "last", "delta", "twa"}  # those that depend on the order of readings


def aggregates_of(sensor: Sensor, asked: Sequence[Agg]) -> Sequence[Agg]:
    """What the sensor's buckets show.

    Raises:
        RefusedError: one of those asked for makes no sense for this kind.
    """
    allowed = OF_STATES if sensor.kind == Sensor.Kind.STATE else OF_NUMBERS
    for agg in asked:
        if agg not in allowed:
            choices = ", ".join(each for each in AGGREGATES if each in allowed)
            raise RefusedError(
                "agg", f"{agg} makes no sense for “{sensor.address}”, a {sensor.kind}: choose from {choices}."
            )
    return asked or BY_DEFAULT[sensor.kind]
