"""docker/healthy.py, which containers ask: that it tells a process that answers from one that does not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inqube.tests.docker.composition import DOCKER
from telemetry.tests.web_server import WebServer


def ask(url: str, hosts: str = "localhost", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(DOCKER / "healthy.py")],
        env={"HEALTH_URL": url, "ALLOWED_HOSTS": hosts, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def web(process_env: dict[str, str], transactional_db: None, tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(process_env | {"ALLOWED_HOSTS": "inqube.example.org", "HTTPS": "true"}, tmp_path / "web.log")
    yield server
    server.kill()


def test_it_finds_web_healthy_by_any_of_its_names(web: WebServer) -> None:
    for path in ("/livez", "/readyz"):
        done = ask(web.url + path, "inqube.example.org,web", http_proxy="http://127.0.0.1:1")
        assert (done.returncode, done.stderr) == (0, "")


def test_it_says_why_not(unreachable_port: int) -> None:
    url = f"http://127.0.0.1:{unreachable_port}/livez"
    done = ask(url)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{url}: ")
    assert "refused" in done.stderr
    assert len(done.stderr.splitlines()) == 1
