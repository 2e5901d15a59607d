"""The simulator's connections to the broker: publishes with paho as devices do, and counts what becomes of it.

paho's threads connect, reconnect, and send again what the broker hasn't acknowledged.
"""

import time
from collections.abc import Callable
from secrets import token_hex
from threading import Lock, Semaphore
from typing import Any
from zlib import crc32

import structlog
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5

from plants.broker_address import Broker, tls_context

IN_FLIGHT = 200  # messages of a connection that the broker has not acknowledged; further ones wait their turn
NAP_S = 0.05

log = structlog.get_logger("inqube.simulate")


class Devices:
    """One or several connections, among which machines are shared out.

    Args:
        kept: messages that are not acknowledged yet, at most; beyond it there is no room.
    """

    def __init__(self, broker: Broker, connections: int, kept: int) -> None:
        self.acknowledged = self.refused = 0
        self.refusal = ""  # the broker's last words against a connection or a message
        self._published = 0
        self._room = Semaphore(kept)
        self._lock = Lock()
        self._clients = [self._connected_to(broker, number, kept) for number in range(connections)]

    def _connected_to(self, broker: Broker, number: int, kept: int) -> Client:
        # The account of a device is let in under its own name only (docs/mqtt.md).
        is_device = broker.username is not None and "/" in broker.username and number == 0
        name = broker.username if is_device else f"inqube-simulator-{token_hex(4)}"
        client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTv5)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.max_inflight_messages_set(IN_FLIGHT)
        client.max_queued_messages_set(kept)
        client.reconnect_delay_set(min_delay=1, max_delay=5)
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            client.tls_set_context(tls_context())
        client.connect_async(broker.host, broker.port, keepalive=30)
        client.loop_start()
        return client

    @property
    def waiting(self) -> int:
        """Messages that the broker has not acknowledged."""
        return self._published - self.acknowledged - self.refused

    def are_connected(self) -> bool:
        return all(client.is_connected() for client in self._clients)

    def has_room(self, within_s: float = 0.0) -> bool:
        """Takes the place of one message, for `publish`; False where there is none so soon."""
        return self._room.acquire(timeout=within_s) if within_s else self._room.acquire(blocking=False)

    def publish(self, topic: str, payload: bytes) -> None:
        machine = topic.partition("/t")[0]
        client = self._clients[crc32(machine.encode()) % len(self._clients)]
        self._published += 1
        client.publish(topic, payload, qos=1)

    def close(self, within_s: float, is_hurried: Callable[[], bool] = lambda: False) -> None:
        """Waits for the last acknowledgements, then disconnects."""
        until = time.monotonic() + within_s
        while self.waiting and self.are_connected() and time.monotonic() < until and not is_hurried():
            time.sleep(NAP_S)
        for client in self._clients:
            client.disconnect()
            client.loop_stop()

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self.refusal = str(reason)
            log.warning("refused by the broker", reason=str(reason))
        else:
            log.info("connected")

    def _on_connect_fail(self, client: Client, userdata: Any) -> None:
        log.warning("broker not reached", does="tries again")

    def _on_disconnect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            log.warning("disconnected", reason=str(reason), does="connects again")

    def _on_publish(self, client: Client, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        with self._lock:  # each client calls from a thread of its own
            if reason.is_failure:
                self.refused += 1
                self.refusal = str(reason)
            else:
                self.acknowledged += 1
        self._room.release()
