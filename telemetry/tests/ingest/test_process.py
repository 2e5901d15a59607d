"""The life of ingest processes: one works for a session, others stand by, and gaps become events."""

import itertools
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from django.db import connection
from django.utils.timezone import now
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.servers import mosquitto
from inqube import embedded
from plants.models import Machine, Plant, Sensor, Zone
from telemetry.ingest.leadership import lock_key
from telemetry.models import DeadLetter, IngestEvent, IngestShard, QuarantinedSample, Reading

pytestmark = [pytest.mark.mosquitto, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

TOPIC = "inqube/v1/kandy/rolling/roller-2/t/temp"
CLIENT_ID = "inqube-test"
TAKEN_OVER_WITHIN_S = 10

Manage = Callable[..., subprocess.Popen[bytes]]
Start = Callable[..., subprocess.Popen[bytes]]


class Mosquitto:
    """Forgets all when it is stopped, and holds ten messages for who is away."""

    def __init__(self, directory: Path) -> None:
        self.port = embedded.free_port()
        self.server = mosquitto(directory, self.port)
        self.log = directory / "mosquitto.log"
        config = directory / "mosquitto.conf"
        config.write_text(
            re.sub("max_queued_messages .*", "max_queued_messages 10\nsys_interval 1", config.read_text())
        )

    @contextmanager
    def device(self) -> Iterator["Device"]:
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        try:
            yield Device(client)
        finally:
            client.disconnect()
            client.loop_stop()

    def publish(self, *values: float) -> None:
        """Returns when the broker has acknowledged them."""
        with self.device() as device:
            for value in values:
                device.publish(value)


class Device:
    def __init__(self, client: paho.Client) -> None:
        self._client = client
        self._at_ms = time.time_ns() // 1_000_000

    def publish(self, value: float, topic: str = TOPIC) -> None:
        """Returns when the broker has acknowledged it."""
        self._at_ms += 1
        self._client.publish(topic, json.dumps({"v": value, "ts": self._at_ms}), qos=1).wait_for_publish(30)


@pytest.fixture
def broker(tmp_path: Path) -> Mosquitto:
    return Mosquitto(tmp_path)


@pytest.fixture
def ingest(manage: Manage, broker: Mosquitto, kandy: Plant) -> Start:
    environment = {"MQTT_CLIENT_ID": CLIENT_ID, "DEAD_LETTERS_PER_SOURCE_MINUTE": "1000"}
    return lambda *args: manage("ingest", *args, MQTT_URL=broker.server.url, **environment)


@pytest.fixture
def oslo(db: None) -> Plant:
    """A plant that belongs to the other one of two shards: zone z, machine m, sensor temp."""
    plant = Plant.objects.create(slug="oslo", name="Oslo")
    machine = Machine.objects.create(zone=Zone.objects.create(plant=plant, slug="z", name="Z"), slug="m", name="M")
    Sensor.objects.create(machine=machine, slug="temp", name="Temperature")
    return plant


@pytest.fixture
def running(broker: Mosquitto) -> Iterator[Mosquitto]:
    with embedded.running(broker.server, broker.log):
        yield broker


def until(condition: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def says(process: subprocess.Popen[bytes], words: str) -> Callable[[], bool]:
    return lambda: words in process.log.read_text()  # type: ignore[attr-defined]


def is_working(process: subprocess.Popen[bytes]) -> bool:
    return IngestShard.objects.filter(pid=process.pid, is_subscribed=True).exists()


def values() -> list[float]:
    return sorted(Reading.objects.values_list("value", flat=True))


def end_lock() -> None:
    """As a restart of the database does, or a cut of the network that only its side has noticed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks "
            "WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s",
            [number % 2**32 for number in lock_key(CLIENT_ID)],
        )
        assert cursor.rowcount == 1


def lock_is_held() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s",
            [number % 2**32 for number in lock_key(CLIENT_ID)],
        )
        return bool(cursor.rowcount)


def test_it_stands_by_and_takes_over_when_the_other_is_killed(ingest: Start, running: Mosquitto) -> None:
    first = ingest()
    until(lambda: is_working(first))
    second = ingest()
    until(says(second, "standing by"))
    until(lambda: IngestShard.objects.get().has_standby(now()))
    assert not says(second, "broker connected")()
    running.publish(1, 2)
    until(lambda: values() == [1, 2])
    first.kill()
    first.wait()
    running.publish(3, 4)
    until(lambda: values() == [1, 2, 3, 4], TAKEN_OVER_WITHIN_S)
    assert "session_present=True" in second.log.read_text()  # type: ignore[attr-defined]
    until(lambda: IngestEvent.objects.exists())
    event = IngestEvent.objects.get()
    assert event.kind == "took_over"
    assert f"process {first.pid} " in event.detail


def test_it_leaves_to_the_standby_without_an_event_when_told_to_stop(ingest: Start, running: Mosquitto) -> None:
    first = ingest()
    until(lambda: is_working(first))
    second = ingest()
    until(says(second, "standing by"))
    first.terminate()
    assert first.wait(20) == 0
    until(lambda: is_working(second), TAKEN_OVER_WITHIN_S)
    assert not IngestEvent.objects.exists()


def test_it_can_be_told_to_stop_while_it_stands_by(ingest: Start, running: Mosquitto) -> None:
    first = ingest()
    until(lambda: is_working(first))
    second = ingest()
    until(says(second, "standing by"))
    second.terminate()
    assert second.wait(20) == 0
    running.publish(1)
    until(lambda: values() == [1])


def test_it_goes_on_when_the_lock_is_lost_and_takes_it_again(ingest: Start, running: Mosquitto) -> None:
    only = ingest()
    until(lambda: is_working(only))
    end_lock()
    running.publish(1)
    until(lambda: values() == [1])
    until(says(only, "the session's lock was lost"))
    until(lock_is_held)
    assert only.log.read_text().count("broker connected") == 1  # type: ignore[attr-defined]


def test_it_stands_by_when_another_took_the_lock_that_it_had_lost(ingest: Start, running: Mosquitto) -> None:
    first = ingest()
    until(lambda: is_working(first))
    second = ingest()
    until(says(second, "standing by"))
    while not is_working(second):
        end_lock()  # the one or the other is quicker
        time.sleep(3)
    until(says(first, "another process has taken over"))
    until(says(first, "standing by: another"))
    running.publish(1, 2)
    until(lambda: values() == [1, 2])
    second.kill()
    running.publish(3)
    until(lambda: values() == [1, 2, 3], TAKEN_OVER_WITHIN_S)


def test_it_notes_a_session_that_the_broker_forgot(ingest: Start, broker: Mosquitto) -> None:
    only = ingest()
    with embedded.running(broker.server, broker.log):
        until(lambda: is_working(only))
        assert not IngestEvent.objects.exists()
    with embedded.running(broker.server, broker.log):
        until(lambda: IngestEvent.objects.exists())
        event = IngestEvent.objects.get()
        assert (event.kind, event.client_id) == ("session_lost", CLIENT_ID)
        assert event.since is not None
        assert event.since < event.at
        broker.publish(1)
        until(lambda: values() == [1])


def test_it_notes_how_much_the_broker_threw_away(ingest: Start, running: Mosquitto) -> None:
    only = ingest()
    until(lambda: IngestShard.objects.filter(broker_dropped=0, is_subscribed=True).exists())
    only.terminate()
    assert only.wait(20) == 0
    running.publish(*range(25))
    again = ingest()
    until(lambda: IngestEvent.objects.exists())
    event = IngestEvent.objects.get()
    assert (event.kind, event.count) == ("broker_dropped", 15)
    until(lambda: len(values()) == 10)
    assert says(again, "broker dropped")()


def test_it_moves_to_another_number_of_shards_under_load(
    ingest: Start, running: Mosquitto, kandy: Plant, oslo: Plant
) -> None:
    one = ingest()
    until(lambda: is_working(one))
    published = set()
    shards: list[subprocess.Popen[bytes]] = []
    retiring: subprocess.Popen[bytes] | None = None
    is_told = False
    with running.device() as device:
        for number in itertools.count():
            for topic in (TOPIC, "inqube/v1/oslo/z/m/t/temp"):
                device.publish(number, topic)
            published.add(float(number))
            if not shards and number > 50:
                shards = [ingest("--shard", "1/2"), ingest("--shard", "2/2")]
            if shards and not retiring and all(map(is_working, shards)):
                retiring = ingest("--retire")
            if retiring and not is_told and says(retiring, "standing by")():
                one.terminate()
                is_told = True
            if retiring and retiring.poll() is not None:
                break
            time.sleep(0.02)
    assert retiring is not None
    assert (one.wait(20), retiring.returncode) == (0, 0)
    assert says(retiring, "shard 1/1 has no session any more")()
    until(lambda: Reading.objects.count() >= 2 * len(published))
    for plant in (kandy, oslo):
        stored = Reading.objects.filter(sensor__machine__zone__plant=plant).values_list("value", flat=True)
        assert sorted(stored) == sorted(published)
    assert sorted(IngestShard.objects.values_list("client_id", flat=True)) == [f"{CLIENT_ID}-{i}of2" for i in (1, 2)]
    assert not IngestEvent.objects.exclude(kind="broker_dropped").exists()  # of the old session; the shards have them


def test_it_does_not_retire_where_nobody_else_is_subscribed(ingest: Start, running: Mosquitto) -> None:
    only = ingest()
    until(lambda: is_working(only))
    only.terminate()
    ingest("--shard", "1/2")
    until(lambda: IngestShard.objects.filter(of=2, is_subscribed=True).exists())
    running.publish(1)
    refused = ingest("--retire")
    assert refused.wait(30) == 1
    assert says(refused, "messages would be lost")()
    again = ingest()
    until(says(again, "session_present=True"))
    until(lambda: values() == [1])


def test_it_takes_what_no_shard_is_subscribed_to(ingest: Start, running: Mosquitto, kandy: Plant, oslo: Plant) -> None:
    """oslo is the first shard's, kandy the second's, which does not run yet."""
    first = ingest("--shard", "1/2")
    until(lambda: is_working(first))
    topics = {"nowhere": "inqube/v1/nowhere/z/m/t/temp", "oslo": "inqube/v1/oslo/z/m/t/temp", "kandy": TOPIC}

    def publish(value: float) -> None:
        with running.device() as device:
            for topic in topics.values():
                device.publish(value, topic)

    while not DeadLetter.objects.exists():
        publish(1)
    until(lambda: Reading.objects.filter(sensor__machine__zone__plant=kandy).exists())
    second = ingest("--shard", "2/2")
    until(lambda: is_working(second))
    time.sleep(5)  # by then the first one knows
    before = Reading.objects.count(), DeadLetter.objects.count()
    for process in (first, second):
        process.log.write_text("")  # type: ignore[attr-defined]
    publish(2)
    until(lambda: (Reading.objects.count(), DeadLetter.objects.count()) == (before[0] + 2, before[1] + 1))
    assert set(DeadLetter.objects.values_list("reason", "source")) == {("unknown_plant", "nowhere/z/m")}
    until(says(second, "duplicate=0"))
    until(says(first, "duplicate=0"))


def test_it_finds_the_shard_of_a_plant_that_is_added_under_load(ingest: Start, running: Mosquitto) -> None:
    shards = [ingest("--shard", "1/2"), ingest("--shard", "2/2")]
    until(lambda: all(map(is_working, shards)))
    time.sleep(3)
    published: list[float] = []
    topic = "inqube/v1/rotterdam/z/m/t/temp"  # of the second shard
    with running.device() as device:
        for number in range(400):
            if number == 50:
                plant = Plant.objects.create(slug="rotterdam", name="Rotterdam")
                zone = Zone.objects.create(plant=plant, slug="z", name="Z")
                Sensor.objects.create(machine=Machine.objects.create(zone=zone, slug="m", name="M"), slug="temp")
            device.publish(number, topic)
            published.append(number)
            time.sleep(0.01)
    until(lambda: published[-1] in values())
    letters = {json.loads(bytes(payload))["v"] for payload in DeadLetter.objects.values_list("payload", flat=True)}
    quarantined = set(QuarantinedSample.objects.values_list("value", flat=True))
    assert letters >= set(range(50))
    assert letters | quarantined | set(values()) == set(published)
    assert values() == published[-len(values()) :]
