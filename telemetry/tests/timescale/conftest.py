"""A real TimescaleDB for the timescale lane: TIMESCALE_TEST_URL, or one in WebAssembly under Node.js."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
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
    for name in ("package.json", "package-lock.json", "server.mjs"):
        shutil.copy(HERE / name, directory)
    npm = ["npm", "ci", "--no-audit", "--no-fund", "--legacy-peer-deps"]
    subprocess.run(npm, cwd=directory, check=True, capture_output=True, timeout=120)
    port = embedded.free_port()
    url = f"postgres://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    log = directory / "server.log"
    server = embedded.Server(
        "timescale", ["node", str(directory / "server.mjs"), str(port)], url, lambda: "ready" in log.read_text()
    )
    with embedded.running(server, log):
        migrate(url)
        yield url


def migrate(url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)


@pytest.fixture
def timescale(timescale_url: str) -> Iterator[psycopg.Connection]:
    # The WebAssembly server has one session for all connections: what one has prepared would be there for the next.
    with psycopg.connect(timescale_url, autocommit=True, prepare_threshold=None) as connection:
        yield connection
