"""The scene of each fault test."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from benchmarks.servers import mosquitto
from inqube import embedded
from plants.models import Sensor
from telemetry.tests.faults.proxy import Proxy, proxy_to
from telemetry.tests.faults.scene import NOT_YET_STORED, Manage, Restartable, Scene

DISK_BYTES = 24 * 1024 * 1024


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Restartable]:
    """Mosquitto, which keeps its sessions on disk when it is stopped."""
    data = tmp_path / "mosquitto"
    data.mkdir()
    options = {"persistence": "true", "persistence_location": f"{data}/", "max_keepalive": "10"}
    options |= {"log_type": "subscribe"}
    server = mosquitto(tmp_path, embedded.free_port(), options)
    broker = Restartable(server, tmp_path / "mosquitto.log")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def scene(
    tmp_path: Path, manage: Manage, process_env: dict[str, str], broker: Restartable, line: list[Sensor]
) -> Iterator[Scene]:
    """50 sensors, and a historian whose stored rollups end among what will be sent."""
    for sensor in line:
        sensor.refresh_from_db(fields=["number"])
    scene = Scene(tmp_path, manage, broker, line, process_env["DATABASE_URL"])
    with scene.connect() as connection:
        keep_rollups_until(connection, datetime.now(UTC) - NOT_YET_STORED)
    yield scene
    scene.close()


@pytest.fixture
def postgres(scene: Scene) -> Iterator[Restartable]:
    """PostgreSQL of the test's own, as durable as in production, with a copy of the test's database."""
    with tempfile.TemporaryDirectory(prefix="inqube-faults-", ignore_cleanup_errors=True) as name:
        directory = Path(name) / "postgres"
        embedded.initialise_postgres(directory)
        postgres = Restartable(embedded.postgres(directory), directory.parent / "postgres.log")
        postgres.start()
        use_copy(scene, postgres.server)
        yield postgres
        postgres.stop()


def use_copy(scene: Scene, server: embedded.Server) -> None:
    """Copies the scene's database to this server, and goes on there."""
    embedded.create_database(server)
    dump = [str(embedded.POSTGRES_BIN_PATH / "pg_dump"), "--no-owner", "--no-privileges", "--no-tablespaces"]
    dump += ["--dbname", scene.database]
    load = [str(embedded.POSTGRES_BIN_PATH / "psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"]
    script = subprocess.run(dump, capture_output=True, check=True).stdout
    subprocess.run([*load, "--dbname", server.url], input=script, stdout=subprocess.DEVNULL, check=True)
    scene.database = server.url


@pytest.fixture
def small_disk(scene: Scene) -> Iterator[None]:
    """PostgreSQL of the test's own, with its tables on a file system of their own, of DISK_BYTES.

    The file system is a tmpfs that only the server sees, in a namespace where it may mount one; inside another, it is
    not root, as which PostgreSQL refuses to run. Nothing is left of it when the server ends.
    """
    with tempfile.TemporaryDirectory(prefix="inqube-faults-", ignore_cleanup_errors=True) as name:
        directory, disk = Path(name) / "postgres", Path(name) / "disk"
        embedded.initialise_postgres(directory)
        server = embedded.postgres(directory)
        disk.mkdir()
        if server.user:
            os.chown(disk, pwd.getpwnam(server.user).pw_uid, -1)
        mounting = f"mount -t tmpfs -o size={DISK_BYTES},mode=0700 small {disk}"
        script = f'{mounting} && exec unshare --user --map-user=70 --map-group=70 "$@"'
        namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
        with embedded.running(replace(server, argv=[*namespace, *server.argv]), Path(name) / "postgres.log"):
            embedded.create_database(server)
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
                connection.execute("ALTER DATABASE inqube SET default_tablespace = small")
            use_copy(scene, server)
            yield


@pytest.fixture
def proxy(scene: Scene) -> Iterator[Proxy]:
    """Between ingest and the broker."""
    with proxy_to(int(scene.broker.server.url.rpartition(":")[2]), scene.client_id) as proxy:
        scene.ingest_from = proxy.url
        yield proxy


def keep_rollups_until(connection: psycopg.Connection, moment: datetime) -> None:
    connection.execute("TRUNCATE rollup_dirty")
    connection.execute("UPDATE rollup_state SET shown_to = %(at)s, mark_from = %(at)s, raw_from = NULL", {"at": moment})
