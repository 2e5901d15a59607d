"""The benchmark's device: publishes with QoS 1 as fast as the broker takes it, and costs little itself.

Packets are written by the codec and joined, so that the publisher is not what is measured; paho, which devices
and the simulator use, takes several times the CPU for each message.
"""

import select
import socket
import time
from collections.abc import Callable
from itertools import islice
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlsplit

import mqtt5
import numpy as np
import orjson
from numpy.typing import NDArray

SENSORS = 1000  # 10 machines of 100
WINDOW = 2000  # unacknowledged messages on the way to the broker
BURST = 250
STEP_S = 0.01  # between bursts of a steady publisher


def rows_of(
    per_message: int, messages: int, base_ms: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]:
    """The readings that `publish` sends, in its order: sensor (from 0), time in µs since 1970, value."""
    index = np.arange(messages * per_message, dtype=np.int64)
    sensor = (index % SENSORS).astype(np.int32)
    return sensor, (base_ms + index // SENSORS) * 1000, np.round(20 + sensor / 100 + (index // SENSORS) % 97 / 10, 2)


def packets(per_message: int, messages: int, base_ms: int, plant: str) -> list[bytes]:
    sensor, time_us, value = (column.tolist() for column in rows_of(per_message, messages, base_ms))
    made = []
    for number in range(messages):
        first = number * per_message
        machine = sensor[first] // 100
        body: dict[str, Any]
        if per_message == 1:
            topic = f"inqube/v1/{plant}/line/m{machine}/t/s{sensor[first] % 100}"
            body = {"v": value[first], "ts": time_us[first] // 1000}
        else:
            topic = f"inqube/v1/{plant}/line/m{machine}/t"
            values = {f"s{sensor[i] % 100}": value[i] for i in range(first, first + per_message)}
            body = {"ts": time_us[first] // 1000, "values": values}
        made.append(
            mqtt5.PublishPacket(
                topic, orjson.dumps(body), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number % 65_535 + 1
            ).write()
        )
    return made


def publish(
    url: str,
    per_message: int,
    messages: int,
    base_ms: int,
    plant: str = "bench",
    when_ready: Callable[[], object] = lambda: None,
) -> None:
    """Makes the messages, then publishes them and returns when the broker has acknowledged all."""
    parts = urlsplit(url)
    waiting = iter(packets(per_message, messages, base_ms, plant))
    when_ready()
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(mqtt5.ConnectPacket(f"publisher-{plant}", clean_start=True, keep_alive=60).write())
        acknowledged = sent = 0
        rest = b""
        while acknowledged < messages:
            while sent - acknowledged <= WINDOW - BURST and (burst := list(islice(waiting, BURST))):
                connection.sendall(b"".join(burst))
                sent += len(burst)
            data = rest + connection.recv(65_536)
            if data == rest:
                raise SystemExit("the broker closed the publisher's connection")
            position = 0
            try:
                while position < len(data):
                    packet, size = mqtt5.read(memoryview(data)[position:])
                    position += size
                    if isinstance(packet, mqtt5.PubAckPacket):
                        acknowledged += 1
            except IndexError:
                pass
            rest = data[position:]


def publish_steadily(url: str, rate: int, per_message: int, stopped: Event, plant: str = "bench") -> None:
    """Publishes so many readings a second, with the time of their sending, until told to stop."""
    parts = urlsplit(url)
    readings, began = 0, time.monotonic()
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(mqtt5.ConnectPacket(f"steady-{plant}", clean_start=True, keep_alive=60).write())
        while not stopped.wait(STEP_S):
            due = int((time.monotonic() - began) * rate) - readings
            now_ms = time.time_ns() // 1_000_000
            burst = [_steady_packet(plant, readings + done, per_message, now_ms) for done in range(0, due, per_message)]
            readings += len(burst) * per_message
            connection.sendall(b"".join(burst))
            while select.select([connection], [], [], 0)[0]:  # what is acknowledged is of no interest here
                if not connection.recv(65_536):
                    raise SystemExit("the broker closed the publisher's connection")


def _steady_packet(plant: str, first: int, per_message: int, now_ms: int) -> bytes:
    sensors = [number % SENSORS for number in range(first, first + per_message)]
    body = {"ts": now_ms, "values": {f"s{sensor % 100}": first / 10 for sensor in sensors}}
    topic = f"inqube/v1/{plant}/line/m{sensors[0] // 100}/t"
    packet_id = first // per_message % 65_535 + 1
    return mqtt5.PublishPacket(topic, orjson.dumps(body), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id).write()
