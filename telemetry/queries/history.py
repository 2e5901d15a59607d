"""Readings of the past, straight from `reading`: the primary key finds a sensor's time range without sorting."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from plants.models import Sensor
from telemetry.models import Reading
from telemetry.readings import GOOD

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

COLUMNS = ("ts", "value", "quality")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page of a sensor's readings begins: after this time."""

    after: datetime

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The inverse of `str`; ValueError where the text is no cursor."""
        try:
            return cls(EPOCH + int(text) * MICROSECOND)
        except OverflowError:
            raise ValueError("beyond the calendar") from None

    def __str__(self) -> str:
        return str((self.after - EPOCH) // MICROSECOND)


@dataclass(frozen=True, slots=True)
class Series:
    sensor_id: object
    unit: str
    bucket: str
    columns: tuple[str, ...]
    points: list[tuple[float, float, int]]
    next: Cursor | None


def raw_series(
    sensor: Sensor, start: datetime, end: datetime, limit: int, *, good_only: bool, cursor: Cursor | None = None
) -> Series:
    """A sensor's readings with start <= time < end, oldest first, `limit` at most.

    With a cursor it goes on after the reading at which an earlier answer stopped: also where readings have been
    added before or behind it meanwhile, none of those behind is missed or repeated.
    """
    rows = Reading.objects.filter(sensor=sensor).between(start, end)
    if good_only:
        rows = rows.filter(quality__gte=GOOD)
    if cursor is not None:
        rows = rows.filter(time__gt=cursor.after)
    found = list(rows.order_by("time").values_list("time", "value", "quality")[: limit + 1])
    points = list(_points(found[:limit]))
    more = Cursor(found[limit - 1][0]) if len(found) > limit else None
    return Series(sensor.pk, sensor.unit, "raw", COLUMNS, points, more)


def _points(rows: list[tuple[datetime, float, int]]) -> Iterator[tuple[float, float, int]]:
    for time, value, quality in rows:
        microseconds = (time - EPOCH) // MICROSECOND
        milliseconds = microseconds / 1000 if microseconds % 1000 else microseconds // 1000
        yield milliseconds, value, quality
