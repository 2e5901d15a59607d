"""A Mosquitto whose accounts InQube keeps, started from docker/mosquitto, and clients that try its doors."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Condition, Event
from typing import Any, cast

from django.conf import settings
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from inqube import embedded

CONFIGURATION = settings.BASE_DIR / "docker" / "mosquitto"
PLUGIN = "mosquitto_dynamic_security.so"
ADMIN, ADMIN_PASSWORD = "admin", "only-for-tests"
ANSWERS_WITHIN_S = 10
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


@cache
def plugin() -> Path:
    """Where the distribution has put the plugin."""
    return next(path for place in ("/usr/lib", "/usr/local/lib") for path in Path(place).rglob(PLUGIN))


@dataclass
class ManagedBroker:
    """The broker with an empty file of accounts, but for the admin. Its ports are by those of the configuration."""

    directory: Path
    files: tuple[str, ...] = ("mosquitto.conf",)
    ports: dict[int, int] = field(default_factory=dict)
    _running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        text = "\n".join((CONFIGURATION / name).read_text() for name in self.files)
        for line in text.splitlines():
            if line.startswith("listener "):
                port = int(line.split()[1])
                self.ports[port] = embedded.free_port()
                text = text.replace(line, f"listener {self.ports[port]} 127.0.0.1", 1)
        text = text.replace(f"/usr/lib/{PLUGIN}", str(plugin()))
        text = text.replace("/mosquitto/data/", f"{self.directory}/data/")
        text = text.replace("/mosquitto/certs/", f"{self.directory}/certs/")
        (self.directory / "mosquitto.conf").write_text(f"{text}\nuser {getpass.getuser()}\n")
        self.wipe()

    @property
    def admin_url(self) -> str:
        return f"mqtt://{ADMIN}:{ADMIN_PASSWORD}@127.0.0.1:{self.ports[1884]}"

    @property
    def ingest_url(self) -> str:
        return f"mqtt://inqube:ingests@127.0.0.1:{self.ports[1884]}"

    def wipe(self) -> None:
        """Takes away all that it has kept; then it knows its admin alone, as the first time."""
        data = self.directory / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        program = shutil.which("mosquitto_ctrl", path=PATH)
        assert program is not None
        init = [program, "dynsec", "init", str(data / "dynamic-security.json"), ADMIN, ADMIN_PASSWORD]
        subprocess.run(init, check=True, capture_output=True)

    def start(self) -> None:
        program = shutil.which("mosquitto", path=PATH)
        assert program is not None
        server = embedded.Server(
            "mosquitto",
            [program, "-c", str(self.directory / "mosquitto.conf")],
            self.ingest_url,
            lambda: all(map(embedded.accepts_connections, self.ports.values())),
        )
        self._running.enter_context(embedded.running(server, self.directory / "mosquitto.log"))

    def stop(self) -> None:
        self._running.close()

    @property
    def log(self) -> str:
        return (self.directory / "mosquitto.log").read_text(errors="replace")


@contextmanager
def managed_broker(directory: Path, *files: str) -> Iterator[ManagedBroker]:
    broker = ManagedBroker(directory, ("mosquitto.conf", *files))
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


class Visitor:
    """A client of a broker that notes what it is told. MQTT 5, so that refusals come with reasons."""

    def __init__(self, port: int, username: str | None, password: str | None, client_id: str = "", **more: Any) -> None:
        self.welcome: ReasonCode | None = None
        self.messages: list[tuple[str, bytes]] = []
        self.gone = Event()
        self._reasons: dict[int, list[ReasonCode]] = {}
        self._told = Condition()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_publish = lambda _client, _userdata, mid, reason, _properties: self._note(mid, [reason])
        self._client.on_subscribe = lambda _client, _userdata, mid, reasons, _properties: self._note(mid, reasons)
        self._client.on_message = self._received
        if username is not None:
            self._client.username_pw_set(username, password)
        if will := more.get("will"):
            self._client.will_set(will, b"will", qos=1, retain=True)
        if tls := more.get("tls"):
            self._client.tls_set_context(tls)
        try:
            self._client.connect("127.0.0.1", port, keepalive=30)
        except OSError:  # TLS says no
            return
        self._client.loop_start()
        with self._told:
            self._told.wait_for(lambda: self.welcome is not None or self.gone.is_set(), ANSWERS_WITHIN_S)

    @property
    def is_let_in(self) -> bool:
        return self.welcome is not None and not self.welcome.is_failure

    def publish(self, topic: str, payload: bytes = b"1", *, retain: bool = False) -> bool:
        """Whether the broker took the message."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        return not self._wait(info.mid)[0].is_failure

    def subscribe(self, pattern: str) -> bool:
        _, mid = self._client.subscribe(pattern, qos=1)
        assert mid is not None
        return not self._wait(mid)[0].is_failure

    def received(self, count: int) -> list[tuple[str, bytes]]:
        """What has come, once there is so much of it, and a moment later."""
        with self._told:
            self._told.wait_for(lambda: len(self.messages) >= count, ANSWERS_WITHIN_S)
        time.sleep(0.1)
        return self.messages

    def vanish(self) -> None:
        """Loses its connection without a goodbye."""
        cast(socket.socket, self._client.socket()).shutdown(socket.SHUT_RDWR)
        self.gone.wait(ANSWERS_WITHIN_S)
        self.leave()

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _wait(self, mid: int) -> list[ReasonCode]:
        with self._told:
            assert self._told.wait_for(lambda: mid in self._reasons, ANSWERS_WITHIN_S), "no answer"
        return self._reasons.pop(mid)

    def _note(self, mid: int, reasons: list[ReasonCode]) -> None:
        with self._told:
            self._reasons[mid] = reasons
            self._told.notify_all()

    def _connected(self, client: Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        with self._told:
            self.welcome = reason
            self._told.notify_all()

    def _disconnected(self, *_: Any) -> None:
        with self._told:
            self.gone.set()
            self._told.notify_all()

    def _received(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        with self._told:
            self.messages.append((message.topic, bytes(message.payload)))
            self._told.notify_all()
