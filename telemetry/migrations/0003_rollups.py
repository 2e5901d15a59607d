"""Readings by the minute, the hour and the day: `reading_1m`, `reading_1h`, `reading_1d`, exact at any moment.

Three layers, of which only the first differs between TimescaleDB and plain PostgreSQL:

- `rollup_1m|1h|1d`: tables of finished buckets. Plain PostgreSQL keeps all of them there; with TimescaleDB
  `continuous_1m|1h|1d` does, and the tables hold only what a database had before it was converted.
- `base_1m|1h|1d`: these buckets, and what is newer than them computed from the level below. Right for readings
  that came in the order of time.
- `reading_1m|1h|1d`: the same, but hours with a mark in `rollup_dirty` are computed from `reading`, and days with
  such an hour from `reading_1h`. Right for all readings.

Whoever writes a reading older than `rollup_state.mark_from` leaves a mark in the same transaction; how that is safe
against those who take the marks away is told in `telemetry/storage/rollups.py`.
"""

from typing import Any

from django.db import migrations

# A path is the order-dependent part of a bucket, over its good readings by time:
# {first, last, time of the last in µs since 1970, resets, sum of the values before resets, sum of value × seconds}.
# As float8 the microseconds are exact for another 200 years; seconds would not be.
FUNCTIONS = """
CREATE FUNCTION inqube_path_step(path float8[], value float8, at timestamptz) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    at_us float8 := extract(epoch FROM at) * 1000000;
    held float8 := path[6] + path[2] * ((at_us - path[3]) / 1000000);
BEGIN
    IF path IS NULL THEN
        RETURN ARRAY[value, value, at_us, 0, 0, 0];
    ELSIF value < path[2] THEN
        RETURN ARRAY[path[1], value, at_us, path[4] + 1, path[5] + path[2], held];
    END IF;
    RETURN ARRAY[path[1], value, at_us, path[4], path[5], held];
END $$;

CREATE AGGREGATE inqube_path(value float8, at timestamptz) (
    SFUNC = inqube_path_step, STYPE = float8[], PARALLEL = SAFE
);

CREATE FUNCTION inqube_join_step(
    path float8[], first float8, last float8, first_at timestamptz, last_at timestamptz,
    resets int, peaks float8, integral float8
) RETURNS float8[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    last_at_us float8 := extract(epoch FROM last_at) * 1000000;
    gap_s float8 := (extract(epoch FROM first_at) * 1000000 - path[3]) / 1000000;
    held float8 := path[6] + path[2] * gap_s + integral;
BEGIN
    IF path IS NULL THEN
        RETURN ARRAY[first, last, last_at_us, resets, peaks, integral];
    END IF;
    IF first < path[2] THEN
        RETURN ARRAY[path[1], last, last_at_us, path[4] + resets + 1, path[5] + peaks + path[2], held];
    END IF;
    RETURN ARRAY[path[1], last, last_at_us, path[4] + resets, path[5] + peaks, held];
END $$;

CREATE AGGREGATE inqube_join(
    first float8, last float8, first_at timestamptz, last_at timestamptz, resets int, peaks float8, integral float8
) (SFUNC = inqube_join_step, STYPE = float8[], PARALLEL = SAFE);
"""

DROP_FUNCTIONS = """
DROP AGGREGATE inqube_join(float8, float8, timestamptz, timestamptz, int, float8, float8);
DROP FUNCTION inqube_join_step;
DROP AGGREGATE inqube_path(float8, timestamptz);
DROP FUNCTION inqube_path_step;
"""

# The eight-byte columns stand first: any other order costs their alignment in every row.
TABLES = """
CREATE TABLE rollup_state (
    only_row bool PRIMARY KEY DEFAULT true CHECK (only_row),
    mark_from timestamptz NOT NULL, -- readings before this leave a mark
    shown_to timestamptz NOT NULL CHECK (shown_to <= mark_from) -- buckets before this are stored
);
INSERT INTO rollup_state SELECT true, at, at FROM date_bin('1 minute', now(), '2000-01-01Z') AS at;

CREATE TABLE rollup_dirty (
    hour timestamptz,
    sensor int,
    taken bool, -- by a refresh that is about to recompute the hour
    PRIMARY KEY (sensor, hour, taken)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
INSERT INTO rollup_dirty SELECT DISTINCT date_bin('1 hour', time, '2000-01-01Z'), sensor, false FROM reading;

CREATE TABLE rollup_1h (
    bucket timestamptz, min float8, max float8, sum float8, first float8, last float8,
    first_at timestamptz, last_at timestamptz, peaks float8, integral float8,
    sensor int, n int NOT NULL, n_good int NOT NULL, resets int NOT NULL,
    PRIMARY KEY (sensor, bucket)
);
CREATE TABLE rollup_1d (LIKE rollup_1h INCLUDING ALL);
CREATE TABLE rollup_1m (LIKE rollup_1h INCLUDING ALL) PARTITION BY RANGE (bucket); -- by month, made when needed
"""

DROP_TABLES = "DROP TABLE rollup_1m, rollup_1d, rollup_1h, rollup_dirty, rollup_state"

COLUMNS = "sensor, bucket, n, n_good, min, max, sum, first, last, first_at, last_at, resets, peaks, integral"

GOOD = "FILTER (WHERE quality >= 192)"
PATH = f"(inqube_path(value, time ORDER BY time) {GOOD})"
OF_READINGS = f"""
    count(*)::int AS n, (count(*) {GOOD})::int AS n_good,
    min(value) {GOOD} AS min, max(value) {GOOD} AS max, sum(value) {GOOD} AS sum,
    {PATH}[1] AS first, {PATH}[2] AS last, min(time) {GOOD} AS first_at, max(time) {GOOD} AS last_at,
    coalesce({PATH}[4], 0)::int AS resets, {PATH}[5] AS peaks, {PATH}[6] AS integral
"""
JOINED_PATH = """(inqube_join(first, last, first_at, last_at, resets, peaks, integral ORDER BY bucket)
        FILTER (WHERE n_good > 0))"""
OF_BUCKETS = f"""
    sum(n)::int AS n, sum(n_good)::int AS n_good, min(min) AS min, max(max) AS max, sum(sum) AS sum,
    {JOINED_PATH}[1] AS first, {JOINED_PATH}[2] AS last, min(first_at) AS first_at, max(last_at) AS last_at,
    coalesce({JOINED_PATH}[4], 0)::int AS resets, {JOINED_PATH}[5] AS peaks, {JOINED_PATH}[6] AS integral
"""


def bucket(interval: str, time: str) -> str:
    return f"date_bin({interval}, {time}, '2000-01-01Z'::timestamptz)"


BUCKET_COLUMNS = """
    bucket timestamptz, n int, n_good int, min float8, max float8, sum float8, first float8, last float8,
    first_at timestamptz, last_at timestamptz, resets int, peaks float8, integral float8
"""

# The buckets of one sensor since a time and until before another, both at the start of a bucket: of its readings,
# of its stored minutes, of its stored hours. The first is in PL/pgSQL, which keeps its plan: inlined into the views,
# each query would have to plan every day's partition.
BUCKETS = f"""
CREATE FUNCTION inqube_buckets(of_sensor int, step interval, since timestamptz, until timestamptz)
RETURNS TABLE ({BUCKET_COLUMNS}) LANGUAGE plpgsql STABLE ROWS 60 AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT {bucket("step", "time")}, {OF_READINGS} FROM reading
    WHERE sensor = of_sensor AND time >= since AND time < until GROUP BY {bucket("step", "time")};
END $$;

CREATE FUNCTION inqube_hours(of_sensor int, since timestamptz, until timestamptz)
RETURNS TABLE ({BUCKET_COLUMNS}) LANGUAGE sql STABLE AS $$
    SELECT {bucket("'1 hour'", "bucket")}, {OF_BUCKETS} FROM rollup_1m
    WHERE sensor = of_sensor AND bucket >= since AND bucket < until GROUP BY {bucket("'1 hour'", "bucket")}
$$;

CREATE FUNCTION inqube_days(of_sensor int, since timestamptz, until timestamptz)
RETURNS TABLE ({BUCKET_COLUMNS}) LANGUAGE sql STABLE AS $$
    SELECT {bucket("'1 day'", "bucket")}, {OF_BUCKETS} FROM rollup_1h
    WHERE sensor = of_sensor AND bucket >= since AND bucket < until GROUP BY {bucket("'1 day'", "bucket")}
$$;
"""

PLAIN_BASE = f"""
CREATE VIEW base_1m AS
SELECT {COLUMNS} FROM rollup_1m
UNION ALL
SELECT latest.sensor, minutes.* FROM rollup_state
JOIN latest ON latest.time >= shown_to -- who has a reading since then has a latest one since then
CROSS JOIN LATERAL inqube_buckets(latest.sensor, '1 minute', shown_to, 'infinity') AS minutes;

CREATE VIEW base_1h AS
SELECT {COLUMNS} FROM rollup_1h
UNION ALL
SELECT sensor, {bucket("'1 hour'", "bucket")} AS bucket, {OF_BUCKETS} FROM base_1m
WHERE bucket >= (SELECT {bucket("'1 hour'", "shown_to")} FROM rollup_state)
GROUP BY sensor, {bucket("'1 hour'", "bucket")};

CREATE VIEW base_1d AS
SELECT {COLUMNS} FROM rollup_1d
UNION ALL
SELECT sensor, {bucket("'1 day'", "bucket")} AS bucket, {OF_BUCKETS} FROM base_1h
WHERE bucket >= (SELECT {bucket("'1 day'", "shown_to")} FROM rollup_state)
GROUP BY sensor, {bucket("'1 day'", "bucket")};
"""

CONTINUOUS = "WITH (timescaledb.continuous, timescaledb.materialized_only = false)"
TIMESCALE_BASE = f"""
CREATE MATERIALIZED VIEW continuous_1m {CONTINUOUS} AS
SELECT sensor, time_bucket('1 minute', time) AS bucket, {OF_READINGS} FROM reading
GROUP BY sensor, time_bucket('1 minute', time) WITH NO DATA;

CREATE MATERIALIZED VIEW continuous_1h {CONTINUOUS} AS
SELECT sensor, time_bucket('1 hour', bucket) AS bucket, {OF_BUCKETS} FROM continuous_1m
GROUP BY sensor, time_bucket('1 hour', bucket) WITH NO DATA;

CREATE MATERIALIZED VIEW continuous_1d {CONTINUOUS} AS
SELECT sensor, time_bucket('1 day', bucket) AS bucket, {OF_BUCKETS} FROM continuous_1h
GROUP BY sensor, time_bucket('1 day', bucket) WITH NO DATA;
""" + "".join(
    f"""
CREATE VIEW base_{level} AS
SELECT {COLUMNS} FROM continuous_{level} UNION ALL SELECT {COLUMNS} FROM rollup_{level};
"""
    for level in ("1m", "1h", "1d")
)

EXACT = "".join(
    f"""
CREATE VIEW reading_{level} AS
SELECT {COLUMNS} FROM base_{level} AS base
WHERE NOT EXISTS (
    SELECT FROM rollup_dirty AS dirty
    WHERE dirty.sensor = base.sensor AND dirty.hour = {bucket("'1 hour'", "base.bucket")}
)
UNION ALL
SELECT dirty.sensor, fresh.* FROM (SELECT DISTINCT sensor, hour FROM rollup_dirty) AS dirty
CROSS JOIN LATERAL inqube_buckets(sensor, '{interval}', hour, hour + interval '1 hour') AS fresh;
"""
    for level, interval in (("1m", "1 minute"), ("1h", "1 hour"))
)
EXACT += f"""
CREATE VIEW reading_1d AS
SELECT {COLUMNS} FROM base_1d AS base
WHERE NOT EXISTS (
    SELECT FROM rollup_dirty AS dirty
    WHERE dirty.sensor = base.sensor AND dirty.hour >= base.bucket AND dirty.hour < base.bucket + interval '24 hours'
)
UNION ALL
SELECT dirty.sensor, dirty.day, fresh.*
FROM (SELECT DISTINCT sensor, {bucket("'1 day'", "hour")} AS day FROM rollup_dirty) AS dirty
CROSS JOIN LATERAL (
    SELECT {OF_BUCKETS} FROM reading_1h
    WHERE sensor = dirty.sensor AND bucket >= dirty.day AND bucket < dirty.day + interval '24 hours'
    HAVING count(*) > 0
) AS fresh;
"""


def has_hypertable(cursor: Any) -> bool:
    cursor.execute("SELECT relkind = 'r' FROM pg_class WHERE oid = 'reading'::regclass")
    return bool(cursor.fetchone()[0])


def make(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        base = TIMESCALE_BASE if has_hypertable(cursor) else PLAIN_BASE
        for sql in (FUNCTIONS, TABLES, BUCKETS, base, EXACT):
            cursor.execute(sql)


def unmake(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP VIEW reading_1d, reading_1h, reading_1m, base_1d, base_1h, base_1m")
        if has_hypertable(cursor):
            for level in ("1d", "1h", "1m"):
                cursor.execute(f"DROP MATERIALIZED VIEW continuous_{level}")
        cursor.execute("DROP FUNCTION inqube_buckets, inqube_hours, inqube_days")
        cursor.execute(DROP_TABLES)
        cursor.execute(DROP_FUNCTIONS)


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0002_latest_fillfactor")]

    operations = [migrations.RunPython(make, unmake)]
