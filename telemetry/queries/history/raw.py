"""Single readings, for many sensors in one statement: the primary key finds each one's range without sorting."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plants.scales import GOOD, instant, microseconds
from telemetry.queries.history.limited import limited
from telemetry.queries.history.rollups import Span

Row = tuple[int, float, int]  # (microseconds since 1970 UTC, value, quality)

READINGS = """
SELECT asked.sensor, (extract(epoch FROM found.time) * 1000000)::bigint, found.value, found.quality
FROM unnest(%(sensors)s::int[]) AS asked (sensor)
CROSS JOIN LATERAL (
    SELECT time, value, quality FROM reading
    WHERE reading.sensor = asked.sensor AND time >= %(start)s AND time < %(end)s AND quality >= %(quality)s
    ORDER BY time LIMIT %(limit)s
) AS found
ORDER BY 1, 2 LIMIT %(most)s
"""

# Counts no further than it has to.
THOSE_WITH_FEW = """
SELECT asked.sensor FROM unnest(%(sensors)s::int[]) AS asked (sensor)
WHERE (
    SELECT count(*) FROM (
        SELECT FROM reading
        WHERE reading.sensor = asked.sensor AND time >= %(start)s AND time < %(end)s AND quality >= %(quality)s
        LIMIT %(limit)s + 1
    ) AS counted
) <= %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page of a sensor's readings begins: after this time."""

    after: datetime

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The inverse of `str`; ValueError where the text is no cursor."""
        try:
            return cls(instant(int(text)))
        except OverflowError:
            raise ValueError("beyond the calendar") from None

    def __str__(self) -> str:
        return str(microseconds(self.after))


def readings(sensors: Sequence[int], span: Span, limit: int, most: int | None = None) -> dict[int, list[Row]]:
    """Per sensor its oldest readings in the range, `limit` at most of each and `most` of all."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    with limited() as cursor:
        cursor.execute(READINGS, {**_asked(sensors, span), "limit": limit, "most": most})
        for sensor, *row in cursor.fetchall():
            found[sensor].append(tuple(row))
    return found


def those_with_few(sensors: Sequence[int], span: Span, limit: int) -> set[int]:
    """The sensors that have no more readings in the range than that."""
    with limited() as cursor:
        cursor.execute(THOSE_WITH_FEW, {**_asked(sensors, span), "limit": limit})
        return {sensor for (sensor,) in cursor.fetchall()}


def _asked(sensors: Sequence[int], span: Span) -> dict[str, Any]:
    return {
        "sensors": list(sensors),
        "start": instant(span.start),
        "end": instant(span.end),
        "quality": 0 if span.any_quality else GOOD,
    }
