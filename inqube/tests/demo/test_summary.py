"""The lines to paste work as they stand."""

import io
import json
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from rich.console import Console

from inqube.demo.directory import Directory
from inqube.demo.summary import OPEN_BROKER, latest_line, publish_line, show


def test_it_publishes_to_the_sensor_s_topic() -> None:
    words = shlex.split(publish_line("mqtt://127.0.0.1:1883", "kandy/rolling/roller-2/temp", 23.456))
    assert words[0] == "mosquitto_pub"
    assert words[words.index("-t") + 1] == "inqube/v1/kandy/rolling/roller-2/t/temp"
    assert float(words[words.index("-m") + 1]) == 23.456


def test_it_publishes_to_a_broker_that_asks_for_a_password() -> None:
    words = shlex.split(publish_line("mqtt://inqube:p%20w@plant:1884", "kandy/rolling/roller-2/temp", 1))
    assert words[1:9] == ["-h", "plant", "-p", "1884", "-q", "1", "-u", "inqube"]
    assert words[words.index("-P") + 1] == "p w"


@pytest.mark.parametrize("is_open", [True, False])
def test_it_says_whether_the_broker_asks_for_logins(tmp_path: Path, is_open: bool) -> None:
    console = Console(file=io.StringIO(), width=200)
    people = {"viewer": {"email": "vera@example.org", "password": "secret"}}
    show(console, Directory(tmp_path), "http://site", "mqtt://127.0.0.1:1883", people, None, is_open=is_open)
    assert isinstance(console.file, io.StringIO)
    assert (OPEN_BROKER in console.file.getvalue()) is is_open


class Api(BaseHTTPRequestHandler):
    """Answers as the API does, to one password and one token only."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        right = form == {"username": ["vera@example.org"], "password": ["a'b c&d"]}
        self.answer({"access_token": "abc.d_e-f", "token_type": "bearer"} if right else {"detail": str(form)})

    def do_GET(self) -> None:
        right = self.headers["Authorization"] == "Bearer abc.d_e-f"
        self.answer([self.path] if right else {"detail": self.headers["Authorization"]})

    def answer(self, body: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body, separators=(",", ":")).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_it_signs_in_and_reads_in_one_shell_line(site: str) -> None:
    line = latest_line(site, {"email": "vera@example.org", "password": "a'b c&d"}, "kandy")
    said = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == ["/api/v1/telemetry/latest?plant=kandy"]
