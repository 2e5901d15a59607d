"""The database: whether it answers, what it is, and whether what it has to do gets done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.utils.timezone import now

from inqube.doctor import clocks
from inqube.doctor.findings import Area, Check, Finding, UnavailableError, failed, ok, skipped, warning
from telemetry.checks import foreign_policies
from telemetry.queries.database import database as database_words
from telemetry.queries.system import System, system
from telemetry.storage import connection_params

CONNECT_WITHIN_S = 3
STATEMENT_TIMEOUT = "3s"
OLDEST, NEWEST = 15, 18  # PostgreSQL
OLDEST_TIMESCALEDB = (2, 18, 1)
CONNECTIONS_FULL = 0.8
TRANSACTIONS_LEFT = 500_000_000  # until PostgreSQL refuses to write; autovacuum should keep ten times as many
MIGRATE = "python manage.py migrate"

SERVER = """
SELECT current_setting('server_version_num')::int / 10000, current_setting('server_version'),
       (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), pg_is_in_recovery()
"""
EXTENSION = """
SELECT extversion, current_setting('timescaledb.license', true), (SELECT relkind FROM pg_class WHERE relname = 'reading'
    AND pg_table_is_visible(oid)) FROM (SELECT) AS one LEFT JOIN pg_extension ON extname = 'timescaledb'
"""
FAILED_JOBS = """
SELECT application_name FROM timescaledb_information.jobs JOIN timescaledb_information.job_stats USING (job_id)
WHERE last_run_status = 'Failed' ORDER BY job_id
"""
DURABLE = "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
USED = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int
"""
VACUUM = """
SELECT current_setting('autovacuum')::bool, (SELECT max(age(datfrozenxid)) FROM pg_database),
       (SELECT max(now() - xact_start) FROM pg_stat_activity WHERE backend_type = 'client backend')
"""
LONG_TRANSACTION = timedelta(hours=1)


@dataclass
class Database:
    """The connection at hand, and what several checks ask, once."""

    now: datetime = field(default_factory=now)

    @property
    def psycopg(self) -> psycopg.Connection:
        connection.ensure_connection()
        raw: psycopg.Connection = connection.connection
        return raw

    def row(self, query: str) -> Any:
        return self.psycopg.execute(query.encode()).fetchone()

    @cached_property
    def system(self) -> System:
        """The state of the system page."""
        return system(self.now)


@contextmanager
def opened() -> Iterator[Database]:
    """Django's connection of this thread, once a plain one has worked: a pool waits long for its first one."""
    if not settings.DATABASE_URL:
        raise UnavailableError(skipped("DATABASE_URL is not set", "Set it to your PostgreSQL."))
    try:
        params = connection_params()
        for of_pool in ("pool", "tcp_user_timeout", "connect_timeout"):
            params.pop(of_pool, None)
        psycopg.connect(**params, connect_timeout=CONNECT_WITHIN_S).close()
    except psycopg.Error as error:
        remedy = "Look whether PostgreSQL runs, and whether DATABASE_URL names it and an account there."
        raise UnavailableError(failed(first_line(error), remedy)) from None
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [STATEMENT_TIMEOUT])
        yield Database()
    finally:
        try:
            with connection.cursor() as cursor:  # a pool keeps the connection for others
                cursor.execute("RESET statement_timeout")
        except DatabaseError:
            pass
        connection.close()


def first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def server(database: Database) -> Finding:
    release, version, is_encrypted, is_replica = database.row(SERVER)
    way = "encrypted" if is_encrypted else "not encrypted"
    if is_replica:
        return failed(f"PostgreSQL {version} is a replica, which takes no writes", "Name the primary in DATABASE_URL.")
    if release < OLDEST:
        return failed(f"PostgreSQL {version} is older than {OLDEST}", f"Upgrade it to {OLDEST} or later.")
    if release > NEWEST:
        return warning(f"InQube is not tested with PostgreSQL {version}", f"Use {OLDEST} to {NEWEST}.")
    return ok(f"PostgreSQL {version} answers, {way}")


def migrations(database: Database) -> Finding:
    if database.row("SELECT to_regclass('django_migrations') IS NOT NULL") == (False,):
        return failed("nothing has been migrated yet", MIGRATE)
    known = set(MigrationLoader(None).graph.nodes)
    rows = database.psycopg.execute("SELECT app, name FROM django_migrations").fetchall()
    applied = {(app, name) for app, name in rows}
    if pending := sorted(known - applied):
        return failed(f"{len(pending)} are pending, first {'.'.join(pending[0])}", MIGRATE)
    ours = {app for app, _ in known}
    if newer := sorted(each for each in applied - known if each[0] in ours):
        detail = f"the database is ahead of this program, by {'.'.join(newer[-1])}"
        return warning(detail, "Run the release that the database belongs to.")
    return ok(f"all {len(known)} are applied")


def flavour(database: Database) -> Finding:
    extension, licence, kind = database.row(EXTENSION)
    words = database_words()
    if kind == "p":
        return ok(f"{words}: the worker makes partitions, and drops them")
    numbers = tuple(int(part) for part in extension.split("-")[0].split(".")[:3])
    if numbers < OLDEST_TIMESCALEDB:
        needed = ".".join(map(str, OLDEST_TIMESCALEDB))
        return failed(f"{words} is older than {needed} and may lose late readings", "Upgrade TimescaleDB.")
    if licence != "timescale":
        detail = f"{words} has the licence “{licence}”, with which nothing is compressed or rolled up"
        return failed(detail, "Set timescaledb.license = 'timescale', with the community edition, and restart it.")
    return ok(words)


def policies(database: Database) -> Finding:
    """Jobs of TimescaleDB itself. What InQube has to have done, its own worker does."""
    if database.row("SELECT to_regclass('timescaledb_information.jobs') IS NOT NULL") == (False,):
        return ok("none: the worker does what policies would")
    if found := foreign_policies(connection):
        return failed(" ".join(str(each.msg) for each in found), found[0].hint or "")
    if jobs := [name for (name,) in database.psycopg.execute(FAILED_JOBS)]:
        remedy = "SELECT * FROM timescaledb_information.job_errors says why."
        return warning(f"jobs of TimescaleDB failed: {', '.join(jobs)}", remedy)
    return ok("none works against the worker, and no job of TimescaleDB failed")


def durability(database: Database) -> Finding:
    found: dict[str, str] = dict(database.psycopg.execute(DURABLE).fetchall())
    if off := [name for name, value in found.items() if value == "off"]:
        remedy = "Turn it on: without it, readings that were acknowledged are lost with the power."
        return failed(f"{' and '.join(sorted(off))} is off", remedy)
    return ok("what is committed is on disk")


def connections(database: Database) -> Finding:
    used, most = database.row(USED)
    if used >= CONNECTIONS_FULL * most:
        return warning(f"{used} of {most} are in use", "Raise max_connections, or find out who keeps them.")
    return ok(f"{used} of {most} are in use")


def vacuum(database: Database) -> Finding:
    is_on, age, oldest = database.row(VACUUM)
    if not is_on:
        return failed("autovacuum is off: tables grow, and one day PostgreSQL refuses to write", "Turn it on.")
    left = 2**31 - age
    if left < TRANSACTIONS_LEFT:
        remedy = "Look for long transactions, prepared ones and replication slots; then VACUUM."
        return failed(f"{left:,} transactions are left until PostgreSQL refuses to write", remedy)
    if oldest is not None and oldest > LONG_TRANSACTION:
        hours = oldest / timedelta(hours=1)
        detail = f"a transaction has been open for {hours:.1f} h: old rows stay, and retention waits for it"
        return warning(detail, "SELECT * FROM pg_stat_activity ORDER BY xact_start says whose it is.")
    return ok("autovacuum is on, and nothing holds it up")


def clock(database: Database) -> Finding:
    before = datetime.now(UTC)
    (theirs,) = database.row("SELECT clock_timestamp()")
    return clocks.compare("the database", theirs, before, datetime.now(UTC))


def after_migrations(check: Callable[[Database], Finding]) -> Check:
    """For checks of InQube's own tables."""

    def checked(database: Database) -> Finding:
        try:
            return check(database)
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            return skipped("migrations have to be applied first")
        except DatabaseError as error:
            if isinstance(error.__cause__, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
                return skipped("migrations have to be applied first")
            raise

    return checked


def answering(check: Callable[[Database], Finding]) -> Check:
    """Says in a sentence what the database answered, where it was no answer."""

    def checked(database: Database) -> Finding:
        try:
            return check(database)
        except (psycopg.Error, DatabaseError) as error:
            return failed(first_line(error), "Look at the log of the database.")

    return checked


def area(more: dict[str, Callable[[Database], Finding]]) -> Area:
    """With checks of what lies in the database."""
    own = {
        "database": server,
        "migrations": migrations,
        "flavour": after_migrations(flavour),
        "policies": after_migrations(policies),
        "durability": durability,
        "connections": connections,
        "vacuum": vacuum,
        "database-clock": clock,
    }
    upkeep = {name: after_migrations(check) for name, check in more.items()}
    return Area({name: answering(check) for name, check in (own | upkeep).items()}, opened)
