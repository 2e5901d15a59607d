"""How many readings are bad, by bucket: rollups know only the good ones, so hours with others are looked up."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from plants.scales import instant
from telemetry.queries.history.aggregates import NotGood
from telemetry.queries.history.levels import SECOND, Level
from telemetry.queries.history.limited import limited
from telemetry.queries.history.rollups import Span

NOT_GOOD = """
SELECT stored.sensor, width_bucket(found.time, ARRAY(
    SELECT to_timestamp(0) + split * interval '1 microsecond' FROM unnest(%(splits)s::bigint[]) AS split
)) AS slot, count(*), count(*) FILTER (WHERE found.quality < 64)
FROM reading_1h AS stored
CROSS JOIN LATERAL (
    SELECT time, quality FROM reading
    WHERE reading.sensor = stored.sensor AND quality < 192
      AND time >= greatest(stored.bucket, %(start)s) AND time < least(stored.bucket + interval '1 hour', %(end)s)
    OFFSET 0 -- keeps it a loop over hours
) AS found
WHERE stored.sensor = ANY(%(sensors)s::int[]) AND stored.n <> stored.n_good
  AND stored.bucket >= %(first)s AND stored.bucket < %(end)s
GROUP BY 1, 2
"""


def not_good(numbers: Sequence[int], span: Span, edges: Sequence[int]) -> dict[int, dict[int, NotGood]]:
    """Per sensor and bucket, how many readings are kept that are not good, and how many of those are bad.

    Args:
        edges: of the buckets, in seconds.
    """
    splits = [span.start, *(edge * SECOND for edge in edges[1:-1])]
    asked: dict[str, Any] = {
        "sensors": list(numbers),
        "start": instant(span.start),
        "end": instant(span.end),
        "first": instant(Level.HOUR.floor(span.start)),
        "splits": splits,
    }
    found: defaultdict[int, dict[int, NotGood]] = defaultdict(dict)
    with limited() as cursor:
        cursor.execute(NOT_GOOD, asked)
        for sensor, slot, n, n_bad in cursor.fetchall():
            found[sensor][slot - 1] = NotGood(n, n_bad)
    return found
