"""Unknown sensors with real processes: nothing of what they sent is lost, whoever makes the sensor, and when."""

import json
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime

import psycopg
import pytest
from django.utils.timezone import now

from plants.models import Plant, Sensor
from telemetry.adopt import adopt, adopt_due
from telemetry.ingest.store import connect
from telemetry.models import DeadLetter, DiscoveredSensor, QuarantinedSample, Reading
from telemetry.tests.test_end_to_end import device, publish_all, wait_for_ingest
from telemetry.tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

Manage = Callable[..., subprocess.Popen[bytes]]
NEW = "inqube/v1/kandy/drying/dryer-1/t"
NOW_MS = int(time.time() * 1000)


@pytest.fixture
def database(transactional_db: None) -> Iterator[psycopg.Connection]:
    with connect() as connection:
        yield connection


@pytest.fixture
def ingest(manage: Manage, broker_url: str, kandy: Plant) -> subprocess.Popen[bytes]:
    process = manage("ingest", MQTT_URL=broker_url, MQTT_CLIENT_ID=f"inqube-test-{uuid.uuid4().hex}")
    wait_for_ingest(process)
    return process


def message(n: int, value: float | str) -> str:
    return json.dumps({"v": value, "ts": NOW_MS - n * 1000})


def times(model: type[Reading | QuarantinedSample]) -> set[datetime]:
    """A sample may be in both: its dead letter is replayed with the adoption too."""
    return set(model.objects.values_list("time", flat=True))


def test_it_makes_sensors_at_once_where_the_plant_wants_it(
    ingest: subprocess.Popen[bytes], manage: Manage, broker_url: str, database: psycopg.Connection
) -> None:
    Plant.objects.filter(slug="kandy").update(on_unknown="create")
    manage("procrastinate", "worker")
    with device(broker_url, "dryer") as client:
        publish_all(client, [(f"{NEW}/temp", message(n, 80.5)) for n in range(50)])
        wait_until(lambda: Reading.objects.count() == 50)
        sensor = Sensor.objects.get(machine__slug="dryer-1", slug="temp")
        assert (sensor.unit, sensor.machine.zone.name) == ("°C", "Drying")
        publish_all(client, [(f"{NEW}/temp", message(n, 80.5)) for n in range(50, 100)])
        wait_until(lambda: Reading.objects.filter(sensor=sensor).count() == 100)
    wait_until(lambda: not QuarantinedSample.objects.exists())
    event = Sensor.pgh_event_model.objects.get(slug="temp", pgh_label="created", machine_id=sensor.machine_id)  # type: ignore[attr-defined]
    assert event.pgh_context == {"command": "procrastinate"}


def test_it_loses_nothing_of_a_sensor_that_is_adopted_while_it_sends(
    ingest: subprocess.Popen[bytes], broker_url: str, database: psycopg.Connection
) -> None:
    messages = 400

    def send() -> None:
        with device(broker_url, "dryer") as client:
            for n in range(messages):
                publish_all(client, [(f"{NEW}/temp", message(n, 80.5))])
                time.sleep(0.01)

    sending = threading.Thread(target=send)
    sending.start()
    wait_until(lambda: QuarantinedSample.objects.count() > 20)
    entry = DiscoveredSensor.objects.get()
    done = adopt(entry, None, now(), 90)
    assert done.stored > 20
    sending.join(60)
    wait_until(lambda: len(times(Reading) | times(QuarantinedSample)) == messages)
    assert adopt_due(database, now(), 90)["adopted"] == 0
    assert (Reading.objects.count(), QuarantinedSample.objects.count()) == (messages, 0)
    assert not DeadLetter.objects.new().exists()
