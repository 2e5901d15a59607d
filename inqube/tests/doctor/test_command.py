"""`manage.py doctor` as a process: whatever is broken, it says so in seconds, and tells monitoring."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

SERVERS = ("DATABASE_URL", "REDIS_URL", "MQTT_URL", "PUBLIC_URL")
KEYS = ("SECRET_KEY", "JWT_SIGNING_KEY")


def doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "doctor", *arguments],
        env=os.environ | dict.fromkeys((*SERVERS, "MQTT_ADMIN_URL"), "") | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def told(said: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return {check["name"]: check for check in json.loads(said.stdout)["checks"]}


def test_it_works_where_nothing_is_set() -> None:
    said = doctor("--json", **dict.fromkeys(KEYS, ""))
    assert said.returncode == 2, said.stderr
    found = told(said)
    assert "DATABASE_URL is not set" in found["settings"]["detail"]
    assert {found[name]["status"] for name in ("database", "broker", "valkey", "web", "ledger")} == {"skipped"}
    assert found["versions"]["status"] == found["disk"]["status"] == "ok"


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_it_works_where_the_settings_cannot_be_read(arguments: tuple[str, ...]) -> None:
    said = doctor(*arguments, RAW_RETENTION_DAYS="ninety")
    assert said.returncode == 2
    assert "RAW_RETENTION_DAYS must be a whole number." in said.stdout
    assert said.stderr == ""
    assert not arguments or json.loads(said.stdout)["status"] == "failed"


def test_it_works_while_every_server_is_away() -> None:
    nobody = "127.0.0.1:1"
    said = doctor(
        "--json",
        DATABASE_URL=f"postgres://inqube:x@{nobody}/inqube",
        REDIS_URL=f"redis://{nobody}/0",
        MQTT_URL=f"mqtts://{nobody}",
        PUBLIC_URL=f"https://{nobody}",
    )
    assert said.returncode == 2, said.stderr
    found = told(said)
    for name in ("database", "broker", "valkey", "web", "broker-certificate", "web-certificate"):
        assert found[name]["status"] == "failed", name
        assert "refused" in found[name]["detail"], name
        assert found[name]["remedy"], name


def test_it_ends_though_every_server_hangs(silent_port: Callable[[], int]) -> None:
    def silent() -> str:
        return f"127.0.0.1:{silent_port()}"

    said = doctor(
        "--json",
        "--timeout=2",
        DATABASE_URL=f"postgres://inqube:x@{silent()}/inqube",
        REDIS_URL=f"redis://{silent()}/0",
        MQTT_URL=f"mqtt://{silent()}",
        PUBLIC_URL=f"http://{silent()}",
    )
    assert said.returncode == 2, said.stderr
    found = told(said)
    for name in ("database", "broker", "valkey", "web"):
        assert found[name]["detail"] == "no answer within 2 s"
    assert found["round-trip"] == {
        "name": "round-trip",
        "status": "skipped",
        "detail": "broker does not answer",
        "remedy": "",
    }
    assert found["disk"]["status"] == "ok"
