"""Several ingest processes: one stands by for another, and a shard's plants move to others."""

import random
import subprocess

import pytest

from plants.models import Machine, Plant, Sensor, Zone
from telemetry.models import IngestEvent, IngestShard
from telemetry.tests.faults.plan import Clock, mixed
from telemetry.tests.faults.scene import Scene, end, log_of, wait_for_log
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.mosquitto, pytest.mark.timeout(180)]

SEED = 20_261_124
TAKEN_OVER_WITHIN_S = 10


def standby(scene: Scene, *args: str) -> subprocess.Popen[bytes]:
    process = scene.start_ingest(*args)
    wait_for_log(process, "standing by")
    return process


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.faults)])
def test_it_loses_nothing_when_a_standby_takes_over(scene: Scene, kills: int) -> None:
    clock, rng = Clock.until_now(1500 * kills), random.Random(SEED)
    working = scene.ingest()
    for _ in range(kills):
        waiting = standby(scene)
        publishing = scene.publish_some(mixed(scene.sensors, 1500, clock, rng), rate=1500)
        working.kill()
        wait_for_log(waiting, "broker connected", within_s=TAKEN_OVER_WITHIN_S)
        publishing.wait()
        working.wait()
        working = waiting
    scene.drain()
    end(working)
    assert scene.faults() == []
    assert list(IngestEvent.objects.values_list("kind", flat=True)) == ["took_over"] * kills


@pytest.fixture
def colombo(scene: Scene) -> list[Sensor]:
    """Ten sensors of another plant, of the other one of two shards."""
    plant = Plant.objects.create(slug="colombo", name="Colombo")
    machine = Machine.objects.create(zone=Zone.objects.create(plant=plant, slug="line"), slug="m0")
    sensors = [Sensor.objects.create(machine=machine, slug=f"s{s}", name=f"Sensor {s}", position=s) for s in range(10)]
    for sensor in sensors:
        sensor.refresh_from_db(fields=["number"])
    scene.sensors = [*scene.sensors, *sensors]
    return sensors


@pytest.mark.faults
def test_it_loses_nothing_when_a_shard_moves(scene: Scene, colombo: list[Sensor]) -> None:
    """Good messages only: while two sessions have a message, what can't be stored is two dead letters."""
    clock, rng = Clock.until_now(30_000), random.Random(SEED)

    def publish() -> None:
        plan = [message for message in mixed(scene.sensors, 500, clock, rng) if not message.reasons]
        scene.publish(plan, rate=500).wait()

    old = scene.ingest()
    publish()
    shards = [scene.start_ingest("--shard", f"{number}/2") for number in (1, 2)]
    while IngestShard.objects.filter(of=2, is_subscribed=True).count() < 2:
        publish()
    retiring = standby(scene, "--retire")
    publishing = scene.publish_some(
        [message for message in mixed(scene.sensors, 1500, clock, rng) if not message.reasons], rate=500
    )
    old.terminate()
    while retiring.poll() is None:
        publish()
    publishing.wait()
    scene.drain([scene.sensors[0], colombo[0]])
    for process in shards:
        end(process)
    assert (old.wait(20), retiring.returncode) == (0, 0)
    assert "has no session any more" in log_of(retiring)
    assert scene.faults() == []
    wait_until(lambda: not IngestShard.objects.filter(of=1).exists())
