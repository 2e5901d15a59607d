"""The scene of each fault test."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from benchmarks.servers import mosquitto
from inqube import embedded
from plants.models import Sensor
from telemetry.tests.faults.proxy import Proxy, proxy_to
from telemetry.tests.faults.scene import NOT_YET_STORED, Manage, Restartable, Scene


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Restartable]:
    """Mosquitto, which keeps its sessions on disk when it is stopped."""
    data = tmp_path / "mosquitto"
    data.mkdir()
    options = {"persistence": "true", "persistence_location": f"{data}/", "max_keepalive": "10"}
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
def proxy(scene: Scene) -> Iterator[Proxy]:
    """Between ingest and the broker."""
    with proxy_to(int(scene.broker.server.url.rpartition(":")[2])) as proxy:
        scene.ingest_from = proxy.url
        yield proxy


def keep_rollups_until(connection: psycopg.Connection, moment: datetime) -> None:
    connection.execute("TRUNCATE rollup_dirty")
    connection.execute("UPDATE rollup_state SET shown_to = %(at)s, mark_from = %(at)s, raw_from = NULL", {"at": moment})
