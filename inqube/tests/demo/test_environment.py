"""What the demo's processes are told is chosen once and kept, privately."""

import json
import os
import shlex
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from inqube import embedded
from inqube.demo import DemoError, environment
from inqube.demo.directory import Directory

SERVERS = {"DATABASE_URL": "postgres://a", "REDIS_URL": "redis://a", "MQTT_URL": "mqtt://a"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_chooses_four_different_ports() -> None:
    ports = environment.choose_ports(None)
    assert len({ports.web, ports.mqtt, ports.mqtt5, ports.valkey}) == 4


def test_it_takes_the_web_port_that_was_asked_for() -> None:
    port = embedded.free_port()
    assert environment.choose_ports(port).web == port


def test_it_refuses_a_web_port_that_is_taken() -> None:
    with socket.create_server((embedded.LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DemoError, match=f"Port {port} is taken: .* --port"):
            environment.choose_ports(port)


def test_it_keeps_credentials_to_itself(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        people = environment.ensure_credentials(tmp_path / "credentials")
    finally:
        os.umask(before)
    assert mode(tmp_path / "credentials") == 0o600
    assert json.loads((tmp_path / "credentials").read_text()) == people
    assert len({person["password"] for person in people.values()}) == 3


def test_it_generates_credentials_once(tmp_path: Path) -> None:
    first = environment.ensure_credentials(tmp_path / "credentials")
    assert environment.ensure_credentials(tmp_path / "credentials") == first


def test_it_says_when_the_credentials_file_is_broken(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("{")
    with pytest.raises(DemoError, match="--reset"):
        environment.ensure_credentials(tmp_path / "credentials")


def test_it_writes_an_environment_that_a_shell_reads_back(tmp_path: Path) -> None:
    values = {"DATABASE_URL": "postgres://u:p'w$d@/x?host=%2Ftmp%2Fa b", "ALLOWED_HOSTS": "[::1],localhost"}
    path = tmp_path / "demo.env"
    environment.write_environment(path, values)
    assert mode(path) == 0o600
    assert environment.read_environment(path) == values
    script = f'set -a; . {shlex.quote(str(path))}; printf \'%s\\n\' "$DATABASE_URL" "$ALLOWED_HOSTS"'
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == list(values.values())


def test_it_keeps_the_keys_of_an_earlier_run(tmp_path: Path) -> None:
    first = environment.demo_environment(Directory(tmp_path), SERVERS, kept={})
    second = environment.demo_environment(Directory(tmp_path), SERVERS, kept=first)
    assert first == second
    assert first["SECRET_KEY"] != first["JWT_SIGNING_KEY"]
    assert min(len(first["SECRET_KEY"]), len(first["JWT_SIGNING_KEY"])) >= 32


def test_it_keeps_no_accounts_on_the_person_s_broker(tmp_path: Path) -> None:
    assert environment.demo_environment(Directory(tmp_path), SERVERS, kept={})["MQTT_ADMIN_URL"] == ""


def test_it_uses_a_server_that_the_person_names() -> None:
    found = environment.external_servers({"MQTT_URL": "mqtt://plant:1883", "REDIS_URL": ""}, kept=SERVERS)
    assert found == {"MQTT_URL": "mqtt://plant:1883"}


def test_it_does_not_take_its_own_servers_for_the_person_s() -> None:
    assert environment.external_servers(SERVERS, kept=SERVERS) == {}
