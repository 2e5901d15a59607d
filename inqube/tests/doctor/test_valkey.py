"""Valkey and the channel layer, as they are, and where a password is wanted."""

from pathlib import Path
from typing import Any

from inqube import embedded
from inqube.doctor import valkey
from inqube.doctor.findings import Status
from inqube.tests.doctor.conftest import ask


def test_it_sends_a_frame_round() -> None:
    lines = ask(valkey.AREA)
    assert lines["valkey"].detail.startswith("Valkey ")
    assert lines["channel-layer"].detail == "a frame went out and came back"
    assert {line.status for line in lines.values()} == {Status.OK}


def test_it_says_that_a_password_is_wanted(tmp_path: Path, settings: Any) -> None:
    server = embedded.valkey(tmp_path, embedded.free_port())
    server.argv.extend(["--requirepass", "only-for-tests"])
    with embedded.running(server, tmp_path / "valkey.log"):
        settings.REDIS_URL = server.url
        line = ask(valkey.AREA)["valkey"]
    assert line.status == Status.FAILED
    assert "wants another password" in line.detail
    assert "redis://user:password@host" in line.remedy


def test_it_finds_that_it_is_full(tmp_path: Path, settings: Any) -> None:
    server = embedded.valkey(tmp_path, embedded.free_port())
    server.argv.extend(["--maxmemory", "1100kb"])
    with embedded.running(server, tmp_path / "valkey.log"):
        settings.REDIS_URL = server.url
        line = ask(valkey.AREA)["valkey"]
    assert line.status == Status.WARNING
    assert "is full" in line.detail
