"""A client of the broker for a few seconds, that hears why it is refused. MQTT 5, worked by the thread that asks."""

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from plants.broker_address import Broker, tls_context

WITHIN_S = 3.0  # for each answer
TICK_S = 0.05


class GuestError(Exception):
    """There is no answer to be had. Its text says why."""


class Guest:
    def __init__(self, broker: Broker, client_id: str, username: str | None, password: str | None) -> None:
        self.received: dict[str, bytes] = {}  # the last, by topic
        self.welcome: ReasonCode | None = None
        self._answers: dict[int, ReasonCode] = {}  # by packet id
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )
        self._client.connect_timeout = WITHIN_S
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda _client, _userdata, mid, reasons, _properties: self._note(mid, reasons[0])
        self._client.on_publish = lambda _client, _userdata, mid, reason, _properties: self._note(mid, reason)
        self._client.on_message = self._heard
        if username is not None:
            self._client.username_pw_set(username, password)
        try:
            if broker.tls:
                self._client.tls_set_context(tls_context())
            self._client.connect(broker.host, broker.port, keepalive=int(WITHIN_S))
        except ssl.SSLCertVerificationError as error:
            raise GuestError(f"its certificate is not trusted: {error.verify_message}") from None
        except OSError as error:
            raise GuestError(f"it could not be reached: {error.strerror or error}") from None
        self._wait(lambda: self.welcome is not None, "to the connection")

    @property
    def is_let_in(self) -> bool:
        return self.welcome is not None and not self.welcome.is_failure

    def subscribe(self, pattern: str) -> ReasonCode:
        _, mid = self._client.subscribe(pattern, qos=1)
        return self._answer(mid, "to a subscription")

    def publish(self, topic: str, payload: bytes) -> ReasonCode:
        """With QoS 1: the broker says whether it took it, and whether anybody is there for it (3.4.2.1)."""
        return self._answer(self._client.publish(topic, payload, qos=1).mid, "to a message")

    def has(self, topics: Iterable[str], within_s: float) -> bool:
        """Whether something of each topic comes in that time."""
        wanted = set(topics)
        deadline = time.monotonic() + within_s
        while not wanted <= self.received.keys() and time.monotonic() < deadline:
            if self._client.loop(TICK_S) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
        return wanted <= self.received.keys()

    def leave(self) -> None:
        self._client.disconnect()

    def _answer(self, mid: int | None, what: str) -> ReasonCode:
        assert mid is not None
        self._wait(lambda: mid in self._answers, what)
        return self._answers.pop(mid)

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            if self._client.loop(TICK_S) != MQTTErrorCode.MQTT_ERR_SUCCESS and not condition():
                raise GuestError(f"it closed the connection in place of an answer {what}")
            if time.monotonic() > deadline:
                raise GuestError(f"it gave no answer {what} within {WITHIN_S:g} s")

    # --- paho's side ----------------------------------------------------------------------------------------

    def _connected(self, client: Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self.welcome = reason

    def _heard(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self.received[message.topic] = bytes(message.payload)

    def _note(self, mid: int, reason: ReasonCode) -> None:
        self._answers[mid] = reason


@contextmanager
def guest(broker: Broker, client_id: str, username: str | None, password: str | None) -> Iterator[Guest]:
    """Raises GuestError."""
    visitor = Guest(broker, client_id, username, password)
    try:
        yield visitor
    finally:
        visitor.leave()
