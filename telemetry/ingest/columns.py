"""Readings by column: growing while a batch gathers, and as arrays once it is stored.

A tuple a reading costs ten times as much as four numbers in columns, and numpy would have to take it apart again.
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from plants.scales import GOOD
from telemetry.readings import Reading


class Columns(NamedTuple):
    """n readings by column, each of shape (n,); time in microseconds since 1970 UTC."""

    sensor: NDArray[np.int32]
    time_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.int16]

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> "Columns":
        return Columns(self.sensor[chosen], self.time_us[chosen], self.value[chosen], self.quality[chosen])

    def row(self, place: int) -> Reading:
        sensor, time_us, value, quality = (column[place].item() for column in self)
        return sensor, time_us, value, quality

    def rows(self) -> list[Reading]:
        return list(zip(*(column.tolist() for column in self), strict=True))


class ReadingTable(Sequence[Reading]):
    """Readings that grow in number. Once `columns` has given its view of them they must not."""

    __slots__ = ("_quality", "_sensor", "_time_us", "_value")

    def __init__(self) -> None:
        self._sensor = array("i")
        self._time_us = array("q")
        self._value = array("d")
        self._quality = array("h")

    def append(self, reading: Reading) -> None:
        sensor, time_us, value, quality = reading
        self._sensor.append(sensor)
        self._time_us.append(time_us)
        self._value.append(value)
        self._quality.append(quality)

    def extend(self, sensors: list[int], time_us: int, values: list[float]) -> None:
        """Adds good readings of one moment: a value of each sensor."""
        count = len(sensors)
        self._sensor.fromlist(sensors)
        self._time_us.extend(array("q", (time_us,)) * count)
        self._value.fromlist(values)
        self._quality.extend(array("h", (GOOD,)) * count)

    def columns(self) -> Columns:
        """The readings as they lie in memory, without a copy."""
        return Columns(
            np.frombuffer(self._sensor, np.int32),
            np.frombuffer(self._time_us, np.int64),
            np.frombuffer(self._value, np.float64),
            np.frombuffer(self._quality, np.int16),
        )

    def __len__(self) -> int:
        return len(self._sensor)

    @overload
    def __getitem__(self, place: int) -> Reading: ...
    @overload
    def __getitem__(self, place: slice) -> list[Reading]: ...
    def __getitem__(self, place: int | slice) -> Reading | list[Reading]:
        if isinstance(place, slice):
            return list(
                zip(self._sensor[place], self._time_us[place], self._value[place], self._quality[place], strict=True)
            )
        return self._sensor[place], self._time_us[place], self._value[place], self._quality[place]


def columns(readings: Sequence[Reading]) -> Columns:
    if not isinstance(readings, ReadingTable):
        table = ReadingTable()
        for reading in readings:
            table.append(reading)
        readings = table
    return readings.columns()
