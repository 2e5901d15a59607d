"""When states change, for many sensors in one statement: from `reading` only minutes in which one does."""

from collections import defaultdict
from collections.abc import Sequence

from psycopg import sql

from plants.scales import instant
from telemetry.queries.history.levels import Level, pieces, pieces_before
from telemetry.queries.history.limited import limited
from telemetry.queries.history.rollups import LAST_OF_ANY, Span, by_level, ranges, sources
from telemetry.queries.history.states import Change

MOST_CHANGES = 200_000  # of all sensors in one answer: a second of Python

# A bucket whose smallest value is its largest is one state. Others are looked up one level below, down to `reading`;
# of minutes whose readings are no longer kept the first and the last value remain.
CHANGES = sql.SQL("""
WITH hours AS (
    SELECT sensor, bucket, n, n_good, min, max, first, last, first_at, last_at FROM reading_1h
    WHERE sensor = ANY({sensors}::int[]) AND ({hours})
), minutes AS (
    SELECT sensor, bucket, n, n_good, min, max, first, last, first_at, last_at FROM reading_1m
    WHERE sensor = ANY({sensors}::int[]) AND ({minutes})
    UNION ALL
    SELECT sensor, bucket, n, n_good, min, max, first, last, first_at, last_at FROM reading_1m
    WHERE sensor = ANY({sensors}::int[]) AND ({hours})
      AND EXISTS (SELECT FROM hours WHERE {mixed})
      -- IS TRUE keeps this from becoming a join, which without statistics may be a nested loop over all minutes.
      AND ((sensor, date_bin('1 hour', bucket, '2000-01-01Z')) IN (SELECT sensor, bucket FROM hours WHERE {mixed}))
          IS TRUE
), known AS (
    SELECT sensor, first_at AS at, first AS value FROM hours WHERE first_at IS NOT NULL AND NOT ({mixed})
    UNION ALL
    SELECT sensor, first_at, first FROM minutes WHERE first_at IS NOT NULL
    UNION ALL
    SELECT sensor, last_at, last FROM minutes WHERE first_at IS NOT NULL
    UNION ALL
    SELECT minutes.sensor, within.time, within.value FROM minutes
    CROSS JOIN LATERAL (
        SELECT time, value FROM reading
        WHERE reading.sensor = minutes.sensor AND time >= bucket AND time < bucket + interval '1 minute' AND {counted}
        OFFSET 0 -- keeps it a loop over minutes
    ) AS within WHERE {mixed}
    UNION ALL
    SELECT sensor, time, value FROM reading WHERE sensor = ANY({sensors}::int[]) AND ({readings}) AND {counted}
    UNION ALL
    ({before})
), compared AS (
    SELECT sensor, at, value, lag(value) OVER (PARTITION BY sensor ORDER BY at) AS before FROM known
)
SELECT sensor, extract(epoch FROM at)::float8, value FROM compared WHERE before IS DISTINCT FROM value
ORDER BY sensor, at LIMIT {most}
""")

LAST_BEFORE = sql.SQL("""
SELECT DISTINCT ON (sensor) sensor, last_at, last FROM ({pieces}) AS piece WHERE used > 0 ORDER BY sensor, last_at DESC
""")


class TooManyChangesError(Exception):
    """The states change more often than MOST_CHANGES in the range."""


def changes(numbers: Sequence[int], span: Span) -> dict[int, list[Change]]:
    """Per sensor, when its value became another one, in order; first the value from before the range, if there is one.

    Raises:
        TooManyChangesError: more than MOST_CHANGES of all sensors.
    """
    sensors = list(numbers)
    if span.any_quality:
        before: list[sql.Composable] = [LAST_OF_ANY.format(sensors=sensors, start=instant(span.start))]
        mixed, counted = "n <> n_good OR coalesce(min <> max, false)", "true"
    else:
        before = sources(sensors, span, pieces_before(span.start), with_path=True)
        mixed, counted = "coalesce(min <> max, false)", "quality >= 192"
    levels = by_level(pieces(span.start, span.end, Level.HOUR))
    statement = CHANGES.format(
        sensors=sensors,
        hours=ranges(levels[Level.HOUR]),
        minutes=ranges(levels[Level.MINUTE]),
        readings=ranges(levels[Level.RAW], "time"),
        mixed=sql.SQL(mixed),
        counted=sql.SQL(counted),
        before=LAST_BEFORE.format(pieces=sql.SQL(" UNION ALL ").join(before)),
        most=MOST_CHANGES + 1,
    )
    found: defaultdict[int, list[Change]] = defaultdict(list)
    with limited() as cursor:
        cursor.execute(statement.as_string(cursor.connection))
        rows = cursor.fetchall()
    if len(rows) > MOST_CHANGES:
        raise TooManyChangesError
    for sensor, at, value in rows:
        found[sensor].append((at, value))
    return found
