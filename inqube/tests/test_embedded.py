"""The servers from pip packages start where we say, answer, and go."""

import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5, MQTTv311

from inqube import embedded

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short path, since sockets lie in it; open to other users' passing, since root's PostgreSQL is one."""
    with tempfile.TemporaryDirectory(prefix="inqube-embedded-") as path:
        yield Path(path)


def test_it_keeps_the_preferred_port_when_it_is_free() -> None:
    port = embedded.free_port()
    assert embedded.free_port(port) == port


def test_it_chooses_another_port_when_the_preferred_one_is_taken() -> None:
    with socket.create_server((embedded.LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        assert embedded.free_port(port) != port


def test_it_chooses_ports_that_no_outgoing_connection_gets() -> None:
    with socket.create_server((embedded.LOOPBACK, 0)) as server, socket.create_connection(server.getsockname()) as one:
        assert embedded.free_port() < one.getsockname()[1]
    assert embedded.free_port() in embedded.NOT_FOR_CLIENTS


def test_it_shortens_a_path_that_no_socket_could_have(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 90)
    short = embedded.short_directory(long, "socket")
    assert len(str(short / "socket")) <= embedded.SOCKET_PATH_BYTES
    assert short == embedded.short_directory(long, "socket")
    assert short != embedded.short_directory(tmp_path / ("y" * 90), "socket")


def test_it_runs_a_postgres_that_keeps_its_data(directory: Path) -> None:
    server = embedded.postgres(directory / "postgres")
    embedded.initialise_postgres(directory / "postgres")
    with embedded.running(server, directory / "log"):
        embedded.create_database(server)
        embedded.create_database(server)  # there already
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    assert not server.is_ready()
    embedded.initialise_postgres(directory / "postgres")
    with embedded.running(server, directory / "log"), psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_it_says_which_server_failed_and_where_its_log_is(directory: Path) -> None:
    with socket.create_server((embedded.LOOPBACK, 0)) as taken:
        server = embedded.valkey(directory, taken.getsockname()[1])
        server = embedded.Server(server.name, server.argv, server.url, is_ready=lambda: False)
        with (
            pytest.raises(embedded.EmbeddedError, match=rf"valkey ended while starting .*{directory}/log"),
            embedded.running(server, directory / "log"),
        ):
            pass


def test_it_carries_a_large_message_from_an_mqtt_3_device_to_an_mqtt_5_subscriber(directory: Path) -> None:
    ports = {"port_v5": embedded.free_port(), "port_v311": embedded.free_port()}
    body = json.dumps({"values": "x" * 2**20}).encode()
    received: list[bytes] = []
    subscriber = Client(CallbackAPIVersion.VERSION2, "subscriber", protocol=MQTTv5)
    subscriber.on_message = lambda client, data, message: received.append(bytes(message.payload))
    subscribed: list[bool] = []
    subscriber.on_subscribe = lambda *_: subscribed.append(True)
    device = Client(CallbackAPIVersion.VERSION2, "device", protocol=MQTTv311)
    with embedded.running(embedded.broker(directory, **ports), directory / "log"):
        subscriber.connect(embedded.LOOPBACK, ports["port_v5"])
        subscriber.subscribe("inqube/#", qos=1)
        while not subscribed:
            subscriber.loop(0.1)
        device.connect(embedded.LOOPBACK, ports["port_v311"])
        device.loop_start()
        device.publish("inqube/v1/a/b/c/t", body, qos=1).wait_for_publish(20)
        while not received:
            subscriber.loop(0.1)
        device.disconnect()
        device.loop_stop()
        subscriber.disconnect()
    assert received == [body]
