"""The database is killed, stopped, locked, full, or ends ingest's connections."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from telemetry.storage import APPLICATION_NAME
from telemetry.tests.faults.plan import Clock, mixed
from telemetry.tests.faults.proxy import Proxy
from telemetry.tests.faults.scene import Restartable, Scene, end, log_of
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mosquitto, pytest.mark.timeout(300)]

SEED = 20_261_124
COMMITS_OFTEN = "5"  # INGEST_BATCH_MS
END_CONNECTIONS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = %s AND datname = current_database()
"""


@pytest.mark.faults
def test_it_loses_nothing_when_postgres_is_killed(scene: Scene, postgres: Restartable) -> None:
    clock, rng = Clock.until_now(6000), random.Random(SEED)
    ingest = scene.ingest(INGEST_BATCH_MS=COMMITS_OFTEN)
    for _ in range(4):
        publishing = scene.publish_some(mixed(scene.sensors, 1500, clock, rng), rate=1500)
        time.sleep(rng.uniform(0, 0.5))
        postgres.kill()
        time.sleep(rng.uniform(0, 0.5))
        postgres.start()
        publishing.wait()
    scene.drain()
    end(ingest)
    assert scene.faults() == []
    assert "batch not stored yet" in log_of(ingest)


@pytest.mark.faults
def test_it_waits_for_postgres(scene: Scene, postgres: Restartable) -> None:
    ingest = scene.ingest()
    plan = mixed(scene.sensors, 10_000, Clock.until_now(10_000), random.Random(SEED))
    publishing = scene.publish_some(plan, rate=400)
    postgres.stop()
    time.sleep(20)
    postgres.start()
    publishing.wait()
    scene.drain()
    end(ingest)
    assert scene.faults() == []
    assert "batch not stored yet" in log_of(ingest)


@pytest.mark.faults
def test_it_loses_nothing_when_its_connections_are_ended(scene: Scene) -> None:
    ingest = scene.ingest(INGEST_BATCH_MS=COMMITS_OFTEN)
    publishing = scene.publish(mixed(scene.sensors, 3000, Clock.until_now(3000), random.Random(SEED)), rate=500)
    ended = 0
    with scene.connect() as connection:
        while not publishing.is_done:
            row = connection.execute(END_CONNECTIONS, [APPLICATION_NAME]).fetchone()
            assert row is not None
            ended += row[0]
            time.sleep(0.2)
    publishing.wait()
    scene.drain()
    end(ingest)
    assert ended > 10
    assert scene.faults() == []


@pytest.mark.parametrize("table", ["reading", pytest.param("latest", marks=pytest.mark.faults)])
def test_it_acknowledges_nothing_while_a_table_is_locked(scene: Scene, proxy: Proxy, table: str) -> None:
    clock, rng = Clock.until_now(3000), random.Random(SEED)
    ingest = scene.ingest()
    scene.publish(mixed(scene.sensors, 1000, clock, rng)).wait()
    wait_until(lambda: proxy.wires[-1].acknowledged.total() == 1000)
    with scene.connect() as connection, connection.transaction():
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
        scene.publish(mixed(scene.sensors, 2000, clock, rng)).wait()
        wait_until(lambda: proxy.wires[-1].delivered.total() == 3000)
        time.sleep(1)
        assert proxy.wires[-1].acknowledged.total() == 1000
    scene.drain()
    end(ingest)
    assert scene.faults() == []
    assert proxy.wires[-1].acknowledged.total() == 3001


@contextmanager
def full(connection: psycopg.Connection) -> Iterator[None]:
    """Somebody else's data takes the rest of the disk, for a while."""
    connection.execute("CREATE UNLOGGED TABLE ballast (bytes text)")
    connection.execute("ALTER TABLE ballast ALTER bytes SET STORAGE PLAIN")
    for size in (7000, 100):
        with pytest.raises(psycopg.errors.DiskFull):  # noqa: PT012
            while True:
                connection.execute("INSERT INTO ballast SELECT repeat('x', %s) FROM generate_series(1, 50)", [size])
    yield
    connection.execute("DROP TABLE ballast")


@pytest.mark.faults
@pytest.mark.usefixtures("small_disk")
def test_it_waits_for_room_on_the_disk(scene: Scene) -> None:
    clock, rng = Clock.until_now(12_000), random.Random(SEED)
    ingest = scene.ingest()
    scene.publish(mixed(scene.sensors, 2000, clock, rng)).wait()
    wait_until(lambda: scene.stored() > 1000)
    with scene.connect() as connection, full(connection):
        scene.publish(mixed(scene.sensors, 10_000, clock, rng)).wait()
        wait_until(lambda: "No space left on device" in log_of(ingest))
        while_full = scene.stored()
        time.sleep(2)
        assert scene.stored() == while_full
    scene.drain()
    end(ingest)
    assert scene.faults() == []
    assert scene.stored() > while_full
