"""Makes a backup: pg_dump and the checksums see the same snapshot, so they agree however much is written meanwhile."""

import fcntl
import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from psycopg import Connection, sql

from inqube.backup import BackupError, contents, manifest, programs
from inqube.backup.catalogue import Backup
from inqube.backup.contents import Held, Table
from inqube.backup.manifest import DUMP, Manifest
from inqube.backup.programs import Address
from telemetry.storage import flavour, plain

PARTIAL = ".partial"
LOCK = ".lock"
TOLD_EVERY_S = 10.0
MANY_ROWS = 100_000

FACTS = """
SELECT now(), current_setting('server_version'),
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
    (SELECT coalesce(array_agg(app || '.' || name ORDER BY app, name), '{}') FROM django_migrations)
"""

Tell = Callable[[str], None]


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Nobody else makes or removes backups there meanwhile; what killed ones left is gone."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup is being made in {directory}.") from None
        for left in directory.glob(f".*{PARTIAL}"):
            shutil.rmtree(left)
        yield


def take(of: Address, into: Path, tell: Tell, *, jobs: int = 1, binaries: str = "", compress: str = "") -> Backup:
    """A complete backup of the database, in a directory of its own below `into`.

    Args:
        jobs: tables that are dumped at once.
        binaries: where pg_dump and pg_restore lie; "" for where they are found.
        compress: pg_dump's `--compress`; "" for its default.
    """
    with psycopg.connect(**of) as connection:  # type: ignore[arg-type]
        found = programs.programs_for(connection.info.server_version // 10000, binaries)
        tables, snapshot = freeze(connection)
        made = about(connection, programs.major(found) or 0)
        options = [f"--snapshot={snapshot}", f"--jobs={jobs}", *([f"--compress={compress}"] if compress else [])]
        with writing(into, made) as partial, programs.Program(dump(found, of, partial, options), of) as program:
            made["tables"] = contents.read(connection, tables, telling(tell))
            while not program.has_ended(within_s=TOLD_EVERY_S):
                tell(f"pg_dump has written {filesizeformat(written(partial))}")
            program.end()
            tell("reading the dump again")
            seal(found, partial, made)
        return Backup(into / partial.name[1:].removesuffix(PARTIAL), made)


def freeze(connection: Connection) -> tuple[list[Table], str]:
    """The tables, and the name of a snapshot of them that lasts as long as the transaction that this begins.

    They are locked against being dropped before the snapshot is made: of a partition that retention drops in between,
    pg_dump would find the name and not the table.
    """
    tables = contents.tables(connection)
    connection.commit()
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    for timeout in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(f"SET LOCAL {timeout} = 0")
    names = sql.SQL(", ").join(table.identifier for table in tables)
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    return tables, row[0]


def about(connection: Connection, pg_dump_version: int) -> Manifest:
    """The manifest, as far as it can be told before the dump."""
    taken_at, server_version, timescaledb, migrations = connection.execute(FACTS).fetchone() or (None,) * 4
    return {
        "format": manifest.FORMAT,
        "inqube": settings.VERSION,
        "taken_at": taken_at.astimezone(UTC).isoformat(),
        "took_s": 0.0,
        "server_version": server_version,
        "pg_dump_version": pg_dump_version,
        "flavour": "plain" if flavour(connection) is plain else "timescale",
        "timescaledb": timescaledb,
        "migrations": migrations,
        "tables": {},
        "triggers": contents.triggers(connection),
        "files": {},
    }


@contextmanager
def writing(into: Path, made: Manifest) -> Iterator[Path]:
    """A directory that gets its name once all in it is complete and on disk, and is gone where that fails."""
    name = f"inqube-{manifest.taken_at(made):%Y%m%dT%H%M%SZ}"
    taken = (f"{name}-{number}" for number in itertools.count(2))
    while (into / name).exists():
        name = next(taken)
    partial = into / f".{name}{PARTIAL}"
    partial.mkdir(mode=0o700)
    try:
        yield partial
        partial.rename(into / name)
        manifest.sync(into)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def dump(binaries: Path, of: Address, directory: Path, options: Iterable[str]) -> list[str]:
    argv = [str(binaries / "pg_dump"), *programs.database_arguments(of), *options]
    return [*argv, "--format=directory", f"--file={directory / DUMP}"]


def seal(binaries: Path, directory: Path, made: Manifest) -> None:
    """Writes the manifest once pg_restore has read all of the dump."""
    programs.run([str(binaries / "pg_restore"), f"--file={os.devnull}", str(directory / DUMP)])
    made["files"] = manifest.files(directory)
    made["took_s"] = round((datetime.now(UTC) - manifest.taken_at(made)).total_seconds(), 1)
    manifest.write(directory, made)


def written(directory: Path) -> int:
    return sum(path.stat().st_size for path in (directory / DUMP).glob("*"))


def telling(tell: Tell) -> Callable[[str, Held], None]:
    """Tells of tables that are worth a line."""

    def of_table(name: str, held: Held) -> None:
        if held["rows"] >= MANY_ROWS:
            tell(f"{name}: {held['rows']:,} rows")

    return of_table
