"""docker/make-secrets: made once, different each time, and enough for all that starts."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from inqube.tests.docker.composition import DOCKER, load, services


def make(directory: Path, **environment: str) -> dict[str, str]:
    given = {"PATH": os.environ["PATH"], **environment}
    subprocess.run(["sh", str(DOCKER / "make-secrets"), str(directory)], env=given, check=True, capture_output=True)
    return {path.name: path.read_text() for path in directory.iterdir()}


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    return make(tmp_path / "secrets")


def test_it_makes_what_compose_mounts(secrets: dict[str, str]) -> None:
    assert {definition["file"] for definition in load()["secrets"].values()} == {f"secrets/{name}" for name in secrets}


def test_it_makes_others_each_time(secrets: dict[str, str], tmp_path: Path) -> None:
    others = make(tmp_path / "others")
    assert not {name for name in secrets if secrets[name] == others[name]}


def test_it_never_makes_one_anew(secrets: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secrets" / "device_key").unlink()
    again = make(tmp_path / "secrets", SECRET_KEY="another")
    assert {name for name in secrets if secrets[name] != again[name]} == {"device_key"}


def test_it_keeps_values_that_are_given(tmp_path: Path) -> None:
    url = "postgres://me:mine@db.example.org/inqube"
    assert make(tmp_path, DATABASE_URL=url)["database_url"] == url


def test_it_lets_containers_read_them_and_nobody_else(secrets: dict[str, str], tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o444}


def test_it_names_services_by_the_passwords_that_these_have(secrets: dict[str, str]) -> None:
    database, valkey, admin, ingest = (
        urlsplit(secrets[name]) for name in ("database_url", "redis_url", "mqtt_admin_url", "mqtt_url")
    )
    assert {str(url.hostname) for url in (database, valkey, admin, ingest)} <= set(services())
    assert database.password == secrets["database_password"]
    assert f"requirepass {valkey.password}" == secrets["valkey.conf"]
    assert admin.password == secrets["mqtt_admin_password"]
    assert (database.username, admin.username, ingest.username) == ("inqube", "admin", "inqube")


def test_it_makes_what_settings_accept(secrets: dict[str, str], tmp_path: Path) -> None:
    """With the environment of the containers, but for where the files are."""
    environment = {
        name: value.replace("/run/secrets", str(tmp_path / "secrets"))
        for name, value in services()["web"]["environment"].items()
        if name.endswith("_FILE")
    }
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "check", "--tag", "inqube"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_it_keeps_secrets_out_of_the_repository() -> None:
    ignored = (settings.BASE_DIR / ".gitignore").read_text().splitlines()
    assert {"docker/secrets/", "docker/certs/", ".env"} <= set(ignored)
