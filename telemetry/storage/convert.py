"""Turns a plain database into one of TimescaleDB, in place, while it is in use.

`reading` stays what everybody reads and writes until all is ready; the hypertable grows beside it:

1. prepare: makes `reading_hypertable`, and triggers by which every write to `reading` is written there too, in the
   same transaction. The continuous aggregates are made over it, empty. From here on retention waits.
2. copy: day by day, oldest first, a day in a transaction. A day is done when both tables hold as many readings of it,
   which one statement compares, so both as of one moment. Its buckets go into the continuous aggregates, and old days
   are compressed at once.
3. switch: in one short transaction in which nobody writes, the tables exchange their names, and the views `base_*`
   take what is since the first raw day from the continuous aggregates. The views are right before and after it:
   while REFRESH_LOCK is held no mark is taken away, so what was written after its bucket was last computed has one.
4. clean: removes from the tables `rollup_*` what the continuous aggregates hold, then the old table.

Where one stands is seen from the tables that there are, so whatever ends a run, the next goes on. Until the switch,
`abandon` goes back.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import LiteralString, NamedTuple, cast

import psycopg
from psycopg import Connection, errors, sql

from telemetry.storage import flavour, plain, timescale
from telemetry.storage.buckets import DAY, day_steps, floor
from telemetry.storage.days import RawDay, start_of
from telemetry.storage.rollups import REFRESH_LOCK, ROLLUP_LOCK

CONVERT_LOCK = 0x1_9BE_0006  # one conversion at a time; any constant of our own will do
TRIES_OF_A_DAY = 5  # a day's copy and an ingest that replaces values of that day may wait for each other in a circle

# Shorter than deadlock_timeout: we give way before PostgreSQL ends a reader who waits for us while we wait for it.
LOCK_TIMEOUT = "500ms"
LOCK_TRIES = 240
LOCK_PAUSE_S = 2.5  # 12 minutes in all: an export may run for long

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)

HAS_COMMUNITY_FEATURES = "SELECT current_setting('timescaledb.license', true) = 'timescale'"

MAKE_HYPERTABLE = """
CREATE TABLE reading_hypertable (
    LIKE reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CONSTRAINT reading_hypertable_pkey PRIMARY KEY (sensor, time)
);
SELECT create_hypertable('reading_hypertable', 'time', chunk_time_interval => interval '1 day');
ALTER TABLE reading_hypertable SET (
    timescaledb.enable_columnstore = true, timescaledb.segmentby = 'sensor', timescaledb.orderby = 'time'
);
"""

# Triggers of statements, for those of rows would cost several times as much. A late reading may belong to a day that
# is compressed already, which TimescaleDB refuses where it is much work, unless told otherwise.
WRITE_TWICE = """
CREATE FUNCTION reading_write_twice() RETURNS trigger LANGUAGE plpgsql
SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0 AS $$
BEGIN
    INSERT INTO reading_hypertable (time, value, sensor, quality) SELECT time, value, sensor, quality FROM new_rows
    ON CONFLICT (sensor, time) DO UPDATE SET value = excluded.value, quality = excluded.quality;
    RETURN NULL;
END $$;
CREATE TRIGGER reading_insert_twice AFTER INSERT ON reading
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION reading_write_twice();
CREATE TRIGGER reading_update_twice AFTER UPDATE ON reading
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION reading_write_twice();
"""
STOP_WRITING_TWICE = """
DROP TRIGGER reading_insert_twice ON reading;
DROP TRIGGER reading_update_twice ON reading;
DROP FUNCTION reading_write_twice;
"""

COPY_DAY = """
INSERT INTO reading_hypertable (time, value, sensor, quality)
SELECT time, value, sensor, quality FROM reading WHERE time >= %(start)s AND time < %(end)s
ON CONFLICT DO NOTHING
"""
COUNTS = """
SELECT (SELECT count(*) FROM reading WHERE time >= %(start)s AND time < %(end)s),
       (SELECT count(*) FROM reading_hypertable WHERE time >= %(start)s AND time < %(end)s)
"""
COMPRESS = """
SELECT compress_chunk(chunk, if_not_compressed => true)
FROM show_chunks(
    'reading_hypertable', newer_than => %(start)s::timestamptz, older_than => %(end)s::timestamptz
) AS chunk
"""

# From the outermost view inward, as readers lock them.
LOCK_RELATIONS = "LOCK TABLE reading_1d, reading_1h, reading_1m, reading IN ACCESS EXCLUSIVE MODE"
SWITCH_NAMES = """
ALTER TABLE reading RENAME TO reading_plain;
ALTER TABLE reading_plain RENAME CONSTRAINT reading_pkey TO reading_plain_pkey;
ALTER TABLE reading_hypertable RENAME TO reading;
ALTER TABLE reading RENAME CONSTRAINT reading_hypertable_pkey TO reading_pkey;
ALTER INDEX reading_hypertable_time_idx RENAME TO reading_time_idx;
"""

# A continuous aggregate forgets nothing when retention drops readings: this stays the first day that was converted.
FIRST_CONVERTED = "SELECT min(bucket) FROM continuous_1d"
MONTHS_SINCE = r"""
SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'rollup_1m'::regclass AND relname ~ '^rollup_1m_p\d{6}$' AND right(relname, 6) >= %s
"""


class ConversionError(Exception):
    """The conversion cannot begin or go on; the message says why."""


class Progress(NamedTuple):
    """The day is in the hypertable, as number `done` of `total`, with so many readings; `bytes_left` are to come."""

    day: date
    done: int
    total: int
    readings: int
    bytes: int
    bytes_left: int


def ensure_extension(connection: Connection) -> None:
    """Makes the extension where it is missing.

    Args:
        connection: a new one, that has executed nothing: TimescaleDB refuses to be made in a session that uses it.

    Raises:
        ConversionError: the server doesn't have it, has not loaded it, or has its Apache edition.
    """
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    except errors.InsufficientPrivilege:
        raise ConversionError(
            "This role may not create extensions. Let a superuser do so: CREATE EXTENSION timescaledb"
        ) from None
    except (errors.FeatureNotSupported, errors.UndefinedFile, psycopg.OperationalError) as error:
        raise ConversionError(
            f"The server has no TimescaleDB: {str(error).splitlines()[0]}. Install it for this PostgreSQL, add "
            "timescaledb to shared_preload_libraries, and restart the server."
        ) from None
    if connection.execute(HAS_COMMUNITY_FEATURES).fetchone() != (True,):
        raise ConversionError(
            "This is the Apache edition of TimescaleDB, which has no continuous aggregates. "
            "Install the community edition, and see that timescaledb.license is not set to apache."
        )


def is_unfinished(connection: Connection) -> bool:
    """Whether a conversion has begun and is not done."""
    return _exists(connection, "reading_hypertable") or _exists(connection, "reading_plain")


def convert(connection: Connection, compress_before: datetime) -> Generator[Progress, None, None]:
    """Converts the database, or goes on with it, or does nothing where it is done; yields after each day.

    Args:
        connection: in autocommit, at the isolation level READ COMMITTED.
        compress_before: days that end at or before this midnight UTC are compressed at once.

    Raises:
        ConversionError: another conversion runs; a copy is not complete; or others hold locks for too long.
    """
    with _alone(connection):
        if flavour(connection) is plain:
            if not _exists(connection, "reading_hypertable"):
                _with_patience(lambda: _prepare(connection))
            yield from _copy(connection, compress_before)
            _switch(connection)
        _clean(connection)


def abandon(connection: Connection) -> bool:
    """Goes back to where no conversion had begun; False where there is nothing to go back from.

    Raises:
        ConversionError: a conversion runs; or the switch is done, and only `convert` can bring it to its end.
    """
    with _alone(connection):
        if flavour(connection) is timescale:
            raise ConversionError("This database has TimescaleDB's tables already: there is no way back.")
        if not _exists(connection, "reading_hypertable"):
            return False
        _with_patience(lambda: _unprepare(connection))
        return True


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    if connection.execute("SELECT pg_try_advisory_lock(%s)", [CONVERT_LOCK]).fetchone() != (True,):
        raise ConversionError("Another conversion is running.")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [CONVERT_LOCK])


@contextmanager
def _nobody_writing(connection: Connection) -> Iterator[None]:
    """A transaction in which nobody else writes readings, refreshes or drops days; so it must be short."""
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ROLLUP_LOCK])
        yield


def _exists(connection: Connection, table: str) -> bool:
    return connection.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone() == (True,)


def _frozen_statements() -> list[str]:
    """What the migration would have executed had it met a hypertable: the aggregates, then the views over them."""
    migration = import_module("telemetry.migrations.0003_rollups")
    statements = (statement.strip() for statement in cast(str, migration.TIMESCALE_BASE).split(";"))
    return [statement for statement in statements if statement]


def _execute(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode())  # ours, though no literal


def _prepare(connection: Connection) -> None:
    with _nobody_writing(connection):
        connection.execute(MAKE_HYPERTABLE)
        for statement in _frozen_statements():
            if statement.startswith("CREATE MATERIALIZED VIEW"):
                _execute(connection, statement.replace("FROM reading\n", "FROM reading_hypertable\n"))
        connection.execute(WRITE_TWICE)


def _unprepare(connection: Connection) -> None:
    with _nobody_writing(connection):
        connection.execute(STOP_WRITING_TWICE)
        for name, _ in reversed(timescale.LEVELS):
            connection.execute(sql.SQL("DROP MATERIALIZED VIEW {}").format(sql.Identifier(name)))
        connection.execute("DROP TABLE reading_hypertable")


def _copy(connection: Connection, compress_before: datetime) -> Iterator[Progress]:
    days = plain.raw_days(connection, FOREVER)
    for done, day in enumerate(days, start=1):
        readings = _copy_day(connection, day)
        timescale.refresh_aggregates(connection, start_of(day.day), min(day.end, _shown_to(connection)))
        if day.end <= compress_before:
            connection.execute(COMPRESS, {"start": start_of(day.day), "end": day.end})
        yield Progress(day.day, done, len(days), readings, day.bytes, sum(left.bytes for left in days[done:]))
    connection.execute("ANALYZE reading_hypertable")


def _copy_day(connection: Connection, day: RawDay) -> int:
    """How many readings the day has, all of which are in the hypertable then."""
    bounds = {"start": start_of(day.day), "end": day.end}
    for _ in range(TRIES_OF_A_DAY):
        there, copied = _counts(connection, bounds)
        if there == copied:
            return there
        try:
            connection.execute(COPY_DAY, bounds)
        except errors.DeadlockDetected:
            continue
    there, copied = _counts(connection, bounds)
    if there == copied:
        return there
    raise ConversionError(
        f"Of {day.day} {copied:,} readings are in the hypertable, but there are {there:,}. Were readings deleted by "
        "hand? Nothing is lost: begin again with --abandon."
    )


def _counts(connection: Connection, bounds: dict[str, datetime]) -> tuple[int, int]:
    row = connection.execute(COUNTS, bounds).fetchone()
    assert row is not None
    return row[0], row[1]


def _shown_to(connection: Connection) -> datetime:
    row = connection.execute("SELECT shown_to FROM rollup_state").fetchone()
    assert row is not None
    return cast(datetime, row[0]).astimezone(UTC)


def _switch(connection: Connection) -> None:
    connection.execute("SELECT pg_advisory_lock(%s)", [REFRESH_LOCK])
    try:
        first = _time(connection, "SELECT min(time) FROM reading_hypertable")
        if first is not None:  # what came late into days that were copied already
            timescale.refresh_aggregates(connection, floor(first, DAY), _shown_to(connection))
        _with_patience(lambda: _exchange(connection))
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", [REFRESH_LOCK])


def _exchange(connection: Connection) -> None:
    with _nobody_writing(connection):
        connection.execute(LOCK_RELATIONS)
        connection.execute(STOP_WRITING_TWICE)
        connection.execute(SWITCH_NAMES)
        first = _time(connection, "SELECT min(time) FROM reading")
        _replace_views(connection, "" if first is None else f" WHERE bucket < '{floor(first, DAY).isoformat()}'")


def _replace_views(connection: Connection, of_rollups: str = "") -> None:
    """Lets the views `base_*` take their buckets from the continuous aggregates, and those of `rollup_*` so limited."""
    for statement in _frozen_statements():
        if statement.startswith("CREATE VIEW"):
            _execute(connection, statement.replace("CREATE VIEW", "CREATE OR REPLACE VIEW") + of_rollups)


def _clean(connection: Connection) -> None:
    if not _exists(connection, "reading_plain"):
        return
    months = []
    if first := _time(connection, FIRST_CONVERTED):
        next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        months = [month for (month,) in connection.execute(MONTHS_SINCE, [f"{next_month:%Y%m}"])]
        for start, end in day_steps(first, next_month):
            connection.execute("DELETE FROM rollup_1m WHERE bucket >= %s AND bucket < %s", [start, end])
        connection.execute("DELETE FROM rollup_1h WHERE bucket >= %s", [first])
        connection.execute("DELETE FROM rollup_1d WHERE bucket >= %s", [first])
    _with_patience(lambda: _drop(connection, ["reading_plain", *months]))


def _drop(connection: Connection, tables: list[str]) -> None:
    with _nobody_writing(connection):
        connection.execute(LOCK_RELATIONS)
        _replace_views(connection)
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))


def _time(connection: Connection, query: LiteralString) -> datetime | None:
    row = connection.execute(query).fetchone()
    return row[0].astimezone(UTC) if row and row[0] else None


def _with_patience(attempt: Callable[[], None]) -> None:
    """Tries until nobody holds the locks that it needs."""
    for _ in range(LOCK_TRIES):
        try:
            return attempt()
        except errors.LockNotAvailable:
            time.sleep(LOCK_PAUSE_S)
    raise ConversionError("Others hold locks on the readings all the time, such as a long query. Run this again later.")
