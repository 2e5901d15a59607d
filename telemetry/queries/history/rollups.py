"""Rollups joined into buckets, for many sensors in one statement: from `reading` only what no level can answer."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from psycopg import sql

from plants.scales import instant
from telemetry.queries.history.aggregates import Joined
from telemetry.queries.history.levels import SECOND, Level, Piece, pieces, pieces_before
from telemetry.queries.history.limited import limited


class Span(NamedTuple):
    """A range of time, in microseconds since 1970 UTC, and what of it counts."""

    start: int
    end: int
    any_quality: bool


# --- What a level, or `reading`, says of a piece ---------------------------------------------------------
PATH = sql.SQL("first, last, first_at, last_at, resets, peaks, integral")
NO_PATH = sql.SQL(
    "NULL::float8 AS first, NULL::float8 AS last, NULL::timestamptz AS first_at, NULL::timestamptz AS last_at, "
    "0 AS resets, NULL::float8 AS peaks, NULL::float8 AS integral"
)
STORED = sql.SQL("""
SELECT sensor, bucket AS at, n, n_good, n_good AS used, min, max, sum, {path}
FROM {relation} WHERE sensor = ANY({sensors}::int[]) AND ({ranges})
""")

# With any quality a bucket that has readings which are not good is answered from them, as long as they are kept.
STORED_ANY = sql.SQL("""
SELECT stored.sensor, stored.bucket AS at, stored.n, stored.n_good, coalesce(mixed.used, stored.n_good) AS used,
    coalesce(mixed.min, stored.min) AS min, coalesce(mixed.max, stored.max) AS max,
    coalesce(mixed.sum, stored.sum) AS sum,
    coalesce(mixed.first, stored.first) AS first, coalesce(mixed.last, stored.last) AS last,
    coalesce(mixed.first_at, stored.first_at) AS first_at, coalesce(mixed.last_at, stored.last_at) AS last_at,
    coalesce(mixed.resets, stored.resets) AS resets, coalesce(mixed.peaks, stored.peaks) AS peaks,
    coalesce(mixed.integral, stored.integral) AS integral
FROM {relation} AS stored
LEFT JOIN LATERAL (
    SELECT {of_readings} FROM reading
    WHERE stored.n <> stored.n_good AND reading.sensor = stored.sensor
      AND reading.time >= stored.bucket AND reading.time < stored.bucket + {width}
    HAVING count(*) > 0
) AS mixed ON true
WHERE stored.sensor = ANY({sensors}::int[]) AND ({ranges})
""")
COMPUTED = sql.SQL("""
SELECT sensor, {since}::timestamptz AS at, count(*) AS n, count(*) FILTER (WHERE quality >= 192) AS n_good,
    {of_readings}
FROM reading WHERE sensor = ANY({sensors}::int[]) AND time >= {since} AND time < {until} GROUP BY sensor
""")
# The primary key gives the last reading at once, however long ago it was.
LAST_OF_ANY = sql.SQL("""
SELECT asked.sensor, last.time AS at, 1 AS n, 1 AS n_good, 1 AS used, value AS min, value AS max, value AS sum,
    value AS first, value AS last, last.time AS first_at, last.time AS last_at, 0 AS resets,
    0.0 AS peaks, 0.0 AS integral
FROM unnest({sensors}::int[]) AS asked (sensor)
CROSS JOIN LATERAL (
    SELECT time, value FROM reading WHERE sensor = asked.sensor AND time < {start} ORDER BY time DESC LIMIT 1
) AS last
""")

JOIN = sql.SQL("""
SELECT sensor, slot, sum(n)::bigint, sum(n_good)::bigint, sum(used)::bigint, min(min), max(max), sum(sum),
    extract(epoch FROM min(first_at))::float8, {path}
FROM (SELECT *, width_bucket(at, ARRAY(
    SELECT to_timestamp(0) + split * interval '1 microsecond' FROM unnest({splits}::bigint[]) AS split
)) AS slot FROM ({pieces}) AS piece) AS placed
GROUP BY sensor, slot
""")
JOINED_PATH = sql.SQL(
    "inqube_join(first, last, first_at, last_at, resets, peaks, integral ORDER BY at) FILTER (WHERE used > 0)"
)


def of_readings(span: Span, with_path: bool) -> sql.Composable:
    """The columns from `used` on, of readings."""
    counted = sql.SQL("" if span.any_quality else "FILTER (WHERE quality >= 192)")
    path = sql.SQL("(inqube_path(value, time ORDER BY time) {})").format(counted)
    order = (
        sql.SQL(
            "{path}[1] AS first, {path}[2] AS last, min(time) {counted} AS first_at, max(time) {counted} AS last_at, "
            "coalesce({path}[4], 0)::int AS resets, {path}[5] AS peaks, {path}[6] AS integral"
        ).format(path=path, counted=counted)
        if with_path
        else NO_PATH
    )
    return sql.SQL(
        "count(*) {counted} AS used, min(value) {counted} AS min, max(value) {counted} AS max, "
        "sum(value) {counted} AS sum, {order}"
    ).format(counted=counted, order=order)


def ranges(found: Iterable[Piece], column: str = "bucket") -> sql.Composable:
    parts = [
        sql.SQL("{column} < {until}").format(column=sql.Identifier(column), until=instant(piece.until))
        if piece.since is None
        else sql.SQL("{column} >= {since} AND {column} < {until}").format(
            column=sql.Identifier(column), since=instant(piece.since), until=instant(piece.until)
        )
        for piece in found
    ]
    return sql.SQL(" OR ").join(parts) if parts else sql.SQL("false")


def by_level(found: Iterable[Piece]) -> defaultdict[Level, list[Piece]]:
    levels: defaultdict[Level, list[Piece]] = defaultdict(list)
    for piece in found:
        levels[piece.level].append(piece)
    return levels


def sources(sensors: list[int], span: Span, found: Iterable[Piece], with_path: bool) -> list[sql.Composable]:
    """A SELECT for each level of the pieces, and for each piece of raw readings."""
    readings = of_readings(span, with_path)
    levels = by_level(found)
    computed: list[sql.Composable] = [
        COMPUTED.format(
            since=instant(piece.since or 0), until=instant(piece.until), sensors=sensors, of_readings=readings
        )
        for piece in levels.pop(Level.RAW, [])
    ]
    stored: list[sql.Composable] = [
        (STORED_ANY if span.any_quality else STORED).format(
            path=PATH if with_path else NO_PATH,
            relation=sql.Identifier(level.relation),
            sensors=sensors,
            ranges=ranges(here),
            of_readings=readings,
            width=timedelta(microseconds=level),
        )
        for level, here in levels.items()
    ]
    return stored + computed


def joined(
    numbers: Sequence[int], span: Span, edges: Sequence[int], level: Level, *, with_path: bool
) -> dict[int, dict[int, Joined]]:
    """Per sensor, the joined rollups of each bucket that has readings; bucket -1 is all time before the range.

    Args:
        edges: of the buckets, in seconds.
        level: whose buckets none of the inner edges cuts.
        with_path: whether what depends on the order of readings is wanted, and with it what was before the range.
    """
    sensors = list(numbers)
    if span.any_quality:
        level = min(level, Level.HOUR)  # a single bad reading must not make a whole day be read
    found = pieces(span.start, span.end, level)
    selects: list[sql.Composable] = []
    if with_path and span.any_quality:
        selects.append(LAST_OF_ANY.format(sensors=sensors, start=instant(span.start)))
    elif with_path:
        found = pieces_before(span.start) + found
    splits = [span.start, *(edge * SECOND for edge in edges[1:-1])]
    statement = JOIN.format(
        pieces=sql.SQL(" UNION ALL ").join(selects + sources(sensors, span, found, with_path)),
        splits=f"{{{','.join(map(str, splits))}}}",  # PostgreSQL's text of an array, for psycopg's takes milliseconds
        path=JOINED_PATH if with_path else sql.SQL("NULL"),
    )
    rows: defaultdict[int, dict[int, Joined]] = defaultdict(dict)
    with limited() as cursor:
        cursor.execute(statement.as_string(cursor.connection))
        for sensor, slot, n, n_good, used, low, high, total, first_at, path in cursor.fetchall():
            first, last, last_at_us, resets, peaks, integral = path or (0.0,) * 6
            last_at = last_at_us / SECOND
            rows[sensor][slot - 1] = Joined(
                n, n_good, used, low, high, total, first, last, first_at or 0.0, last_at, resets, peaks, integral
            )
    return rows
