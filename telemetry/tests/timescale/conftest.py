"""A real TimescaleDB for the timescale lane: TIMESCALE_TEST_URL, or one in WebAssembly under Node.js."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from inqube import embedded

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
START_WITHIN_S = 100.0  # beside other tests: it compiles for six seconds of a processor


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server in WebAssembly lies."""
    directory = tmp_path_factory.mktemp("timescale")
    install(directory)
    return directory


@pytest.fixture(scope="module")
def timescale_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of the module's own, migrated: what a continuous aggregate has stored never goes away.

    The WebAssembly server takes one connection at a time and no COPY.
    """
    if server := os.environ.get("TIMESCALE_TEST_URL"):
        with scratch_database(server) as url:
            migrate(url)
            yield url
        return
    with serving(request.getfixturevalue("installed")) as url:
        migrate(url)
        yield url


@contextmanager
def scratch_database(server: str) -> Iterator[str]:
    """The URL of an empty database on that server, which is dropped afterwards."""
    name = f"inqube_test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def install(directory: Path) -> None:
    """Lays the server in WebAssembly there."""
    for name in ("package.json", "package-lock.json", "server.mjs"):
        shutil.copy(HERE / name, directory)
    npm = ["npm", "ci", "--no-audit", "--no-fund", "--legacy-peer-deps"]
    subprocess.run(npm, cwd=directory, check=True, capture_output=True, timeout=120)


@contextmanager
def serving(directory: Path, *arguments: str) -> Iterator[str]:
    """The URL of a server that is installed there, run with further arguments of server.mjs."""
    port = embedded.free_port()
    url = f"postgres://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    log = directory / f"server-{port}.log"
    server = embedded.Server(
        "timescale",
        ["node", str(directory / "server.mjs"), str(port), *arguments],
        url,
        lambda: "ready" in log.read_text(),
    )
    with embedded.running(server, log, START_WITHIN_S):
        yield url


def migrate(url: str) -> None:
    manage(url, "migrate", "--verbosity=0")


def manage(url: str, *command: str) -> str:
    """What the command of manage.py says on this database."""
    environment = {**os.environ, "DATABASE_URL": url}
    argv = [sys.executable, str(ROOT / "manage.py"), *command]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def timescale(timescale_url: str) -> Iterator[psycopg.Connection]:
    with connect(timescale_url) as connection:
        yield connection


def connect(url: str) -> psycopg.Connection:
    # The WebAssembly server has one session for all connections: what one has prepared would be there for the next.
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)
