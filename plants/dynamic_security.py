"""Mosquitto's dynamic-security plugin, over MQTT: commands in, answers out.

The plugin reads `$CONTROL/dynamic-security/v1` and tells all who may listen what became of each command; ours are
known by their `correlationData`. It writes its whole file at each command, and the broker waits meanwhile: commands
go in small lots. https://mosquitto.org/documentation/dynamic-security/, and its source for what that leaves out.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from plants.broker_address import Broker, tls_context

TOPIC = "$CONTROL/dynamic-security/v1"
ANSWERS = f"{TOPIC}/response"
COMMANDS_A_MESSAGE = 20
TIMEOUT_S = 10.0  # for each answer
TICK_S = 0.1

Command = dict[str, Any]
Answer = dict[str, Any]


class BrokerError(Exception):
    """The broker could not be asked. Its text says why, in a sentence."""


@contextmanager
def control(broker: Broker) -> Iterator["Control"]:
    """A connection to the plugin, by an account that may use it. Raises BrokerError."""
    connection = Control(broker)
    try:
        connection.open()
        yield connection
    finally:
        connection.close()


class Control:
    """One connection, worked by the thread that asks."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._where = f"the broker at {broker.host}:{broker.port}"
        self._is_open = False
        self._refused: ReasonCode | None = None
        self._asked = ""
        self._answers: list[Answer] | None = None
        client_id = f"inqube-accounts-{secrets.token_hex(8)}"
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_publish = self._published
        self._client.on_message = self._answered
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)

    def open(self) -> None:
        try:
            if self.broker.tls:
                self._client.tls_set_context(tls_context())
            self._client.connect(self.broker.host, self.broker.port, keepalive=30)
        except OSError as error:
            raise BrokerError(f"InQube could not reach {self._where}: {error.strerror or error}.") from None
        self._wait_until(lambda: self._is_open)

    def ask(self, commands: Sequence[Command]) -> list[Answer]:
        """The plugin's answers, one for each command; one that failed has an `error`."""
        answers: list[Answer] = []
        for start in range(0, len(commands), COMMANDS_A_MESSAGE):
            answers += self._ask(commands[start : start + COMMANDS_A_MESSAGE])
        return answers

    def close(self) -> None:
        self._client.disconnect()

    def _ask(self, commands: Sequence[Command]) -> list[Answer]:
        self._asked, self._answers = secrets.token_hex(8), None
        message = {"commands": [command | {"correlationData": self._asked} for command in commands]}
        self._client.publish(TOPIC, json.dumps(message), qos=1)
        self._wait_until(lambda: self._answers is not None)
        assert self._answers is not None
        return self._answers

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            if self._client.loop(TICK_S) != MQTTErrorCode.MQTT_ERR_SUCCESS and self._refused is None:
                raise BrokerError(f"InQube lost its connection to {self._where}.")
            if self._refused is not None:
                raise BrokerError(
                    f"InQube was refused by {self._where} ({self._refused}): MQTT_ADMIN_URL must name an account "
                    "that may use the dynamic-security plugin, and the broker must have loaded it."
                )
            if time.monotonic() > deadline:
                raise BrokerError(f"InQube had no answer from {self._where} within {TIMEOUT_S:g} s.")

    # --- paho's side ----------------------------------------------------------------------------------------

    def _connected(self, client: Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self._refused = reason
        else:
            client.subscribe(ANSWERS, qos=1)

    def _subscribed(self, client: Client, userdata: Any, mid: int, reasons: list[ReasonCode], properties: Any) -> None:
        self._is_open = not reasons[0].is_failure
        self._refused = None if self._is_open else reasons[0]

    def _published(self, client: Client, userdata: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self._refused = reason

    def _answered(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        # 2.0.11 still lists a role that was deleted under an account, by bytes that mean nothing any more.
        answers: list[Answer] = json.loads(message.payload.decode(errors="replace"))["responses"]
        if any(answer.get("correlationData") == self._asked for answer in answers):
            self._answers = answers
