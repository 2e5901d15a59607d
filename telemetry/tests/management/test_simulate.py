import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage, MQTTv5

from inqube import embedded
from telemetry.ingest.decode import decode
from telemetry.readings import Message

AT_LAST_S = 120  # a machine with much else to do needs many seconds to start Python

# A broker of its own: what is published here must not reach the ingest of other tests.


@pytest.fixture
def broker(tmp_path: Path) -> embedded.Server:
    return embedded.broker(tmp_path, port_v5=embedded.free_port(), port_v311=embedded.free_port())


@pytest.fixture
def simulate(broker: embedded.Server) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `manage.py simulate`; whatever becomes of the test, it ends."""
    started = []

    def start(*args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "simulate", *args],
            env={**os.environ, "MQTT_URL": broker.url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def listen(broker: embedded.Server) -> "Queue[MQTTMessage]":
    """What is published to the broker from now on."""
    messages: Queue[MQTTMessage] = Queue()
    subscribed: Queue[None] = Queue()
    client = Client(CallbackAPIVersion.VERSION2, "listener", protocol=MQTTv5)
    client.on_message = lambda client, userdata, message: messages.put(message)
    client.on_connect = lambda client, *_: client.subscribe("inqube/v1/#", qos=1)
    client.on_subscribe = lambda *_: subscribed.put(None)
    host, port = broker.url.removeprefix("mqtt://").split(":")
    client.connect(host, int(port))
    client.loop_start()
    subscribed.get(timeout=10)
    return messages


def received(messages: "Queue[MQTTMessage]", seconds: float) -> list[MQTTMessage]:
    found = [messages.get(timeout=AT_LAST_S)]
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            found.append(messages.get(timeout=left))
        except Empty:
            break
    return found


Simulate = Callable[..., subprocess.Popen[str]]


def test_it_publishes_readings_of_now_until_told_to_stop(
    broker: embedded.Server, simulate: Simulate, tmp_path: Path
) -> None:
    with embedded.running(broker, tmp_path / "broker.log"):
        messages = listen(broker)
        process = simulate("--plant", "kandy")
        found = received(messages, 3)
        process.send_signal(signal.SIGTERM)
        output, log = process.communicate(timeout=AT_LAST_S)

    assert process.returncode == 0, log
    assert len(found) > 20
    for message in found:
        assert message.qos == 1
        samples, rejected = decode(Message(message.topic, bytes(message.payload), 0, None))
        assert rejected == []
        assert all(address.startswith("kandy/") for address, *_ in samples)
        assert all(abs(time_us / 1e6 - time.time()) < 30 for _, time_us, _, _ in samples)
    assert output.startswith("Published ")
    assert "refused 0, left 0 unanswered; 0 were dropped." in output


def test_it_waits_for_a_broker_that_is_not_up_yet_and_survives_its_restart(
    broker: embedded.Server, simulate: Simulate, tmp_path: Path
) -> None:
    process = simulate()
    time.sleep(1.5)
    for _ in range(2):
        with embedded.running(broker, tmp_path / "broker.log"):
            assert received(listen(broker), 1)
            assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=AT_LAST_S)

    assert process.returncode == 0
    assert "; 0 were dropped." in output


def test_it_says_what_is_wrong_with_the_broker_s_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MQTT_URL", "localhost:1883")

    with pytest.raises(CommandError, match="MQTT_URL must look like"):
        call_command("simulate")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--plant", "atlantis"], "kandy and rotterdam"),
        (["--rate", "0"], "above 0"),
        (["--rate", "nan"], "above 0"),
        (["--gap", "1.5"], "between 0 and 1"),
        (["--sensors", "0"], "1 or more"),
        (["--sensors", "10", "--plant", "Big Plant"], "slug"),
        (["--sensors", "10", "--rate", "5000"], "give more --sensors"),
        (["--sensors", "10", "--per-message", "5"], "--form list or machine"),
        (["--sensors", "10", "--form", "list", "--per-message", "6000"], "5,000 at most"),
        (["--form", "list", "--per-message", "5"], "needs --sensors"),
        (["--form", "number", "--skew", "0.1"], "carry no time"),
        (["--skew-by", "30"], "between 600 and 86400"),
        (["--create"], "made by seed_demo"),
    ],
)
def test_it_refuses_impossible_arguments(args: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("simulate", *args)


def test_it_fails_where_a_load_that_has_an_end_finds_no_broker(simulate: Simulate) -> None:
    process = simulate("--sensors", "5", "--count", "1")
    output, log = process.communicate(timeout=AT_LAST_S)

    assert process.returncode == 1
    assert "The broker at MQTT_URL was not reached" in log
    assert output == ""


def test_it_shares_machines_out_among_connections_and_says_what_became_of_them(
    broker: embedded.Server, simulate: Simulate, tmp_path: Path
) -> None:
    with embedded.running(broker, tmp_path / "broker.log"):
        messages = listen(broker)
        process = simulate("--sensors", "60", "--rate", "600", "--count", "200", "--connections", "3", "--json")
        output, log = process.communicate(timeout=AT_LAST_S)
        found = received(messages, 1)

    assert process.returncode == 0, log
    summary = json.loads(output)
    assert (summary["messages"], summary["acknowledged"], summary["unanswered"]) == (200, 200, 0)
    assert len(found) == 200
    assert log.count("connected") >= 3
