"""A real TimescaleDB for the timescale lane: TIMESCALE_TEST_URL, or one in WebAssembly under Node.js."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from inqube import embedded

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.fixture(scope="session")
def timescale_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database, migrated. The WebAssembly server takes one connection at a time and no COPY."""
    if url := os.environ.get("TIMESCALE_TEST_URL"):
        migrate(url)
        yield url
        return
    directory = tmp_path_factory.mktemp("timescale")
    install(directory)
    with serving(directory) as url:
        migrate(url)
        yield url


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
    with embedded.running(server, log):
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
