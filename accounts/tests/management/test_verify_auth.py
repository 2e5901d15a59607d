"""verify_auth against real servers, good and bad ones."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axes.models import AccessAttempt
from django.core.management import CommandError, call_command

from accounts.models import TokenFamily, User
from inqube import embedded

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

Manage = Callable[..., subprocess.Popen[bytes]]
STEPS = 16


def log_of(process: subprocess.Popen[bytes]) -> str:
    return str(process.log.read_text())  # type: ignore[attr-defined]


@pytest.fixture
def serve(manage: Manage) -> Callable[..., str]:
    """Starts InQube; gives its base URL once it answers."""

    def start(**environment: str) -> str:
        port = embedded.free_port()
        process = manage("runserver", f"127.0.0.1:{port}", "--noreload", **environment)
        deadline = time.monotonic() + 60
        while not embedded.accepts_connections(port):
            assert process.poll() is None, log_of(process)
            assert time.monotonic() < deadline, log_of(process)
            time.sleep(0.1)
        return f"http://127.0.0.1:{port}"

    return start


class Answering(BaseHTTPRequestHandler):
    """A server that says yes to everything."""

    def do_GET(self) -> None:
        body = json.dumps({"access_token": "a.b.c", "refresh_token": "a.b.c", "token_type": "bearer", "detail": ""})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Hanging(Answering):
    """A server that never answers."""

    def do_GET(self) -> None:
        time.sleep(30)


@pytest.fixture
def listening() -> Iterator[Callable[[type[Answering]], str]]:
    servers: list[ThreadingHTTPServer] = []

    def start(handler: type[Answering]) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_it_finds_a_good_server_good_and_leaves_nothing_behind(manage: Manage, serve: Callable[..., str]) -> None:
    process = manage("verify_auth", "--base-url", serve())
    assert process.wait(90) == 0, log_of(process)
    assert log_of(process).count("\nok ") == STEPS
    assert not User.objects.exists()
    assert not TokenFamily.objects.exists()
    assert not AccessAttempt.objects.exists()


def test_it_checks_as_a_given_user_and_ends_what_it_began(
    manage: Manage, serve: Callable[..., str], vera: User
) -> None:
    url = serve(JWT_SIGNING_KEY="another key that this machine's settings do not know 0123456789")
    process = manage("verify_auth", "--base-url", url, "--email", vera.email, "--password", "correct horse battery")
    assert process.wait(90) == 0, log_of(process)
    assert "skipped … with an expired one: JWT_SIGNING_KEY here is not the server's" in log_of(process)
    assert vera.token_families.count() == 2
    assert not vera.token_families.live().exists()


def test_it_finds_a_bad_server_bad(manage: Manage, listening: Callable[[type[Answering]], str]) -> None:
    process = manage("verify_auth", "--base-url", listening(Answering))
    assert process.wait(90) == 1
    log = log_of(process)
    assert "failed  a wrong password is refused: expected 400, got 200" in log
    assert "failed  the protected endpoint is closed without a token: expected 401, got 200" in log
    assert "failed  the WebSocket closes without a token: the WebSocket was refused with 200" in log
    assert f"of {STEPS} steps failed." in log
    assert not User.objects.exists()


def test_it_says_that_nobody_answers(manage: Manage) -> None:
    process = manage("verify_auth", "--base-url", f"http://127.0.0.1:{embedded.free_port()}")
    assert process.wait(90) == 1
    assert "did not answer" in log_of(process)
    assert not User.objects.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_cleans_up_when_it_is_interrupted(
    manage: Manage, listening: Callable[[type[Answering]], str], number: signal.Signals
) -> None:
    process = manage("verify_auth", "--base-url", listening(Hanging))
    deadline = time.monotonic() + 60
    while "Checking" not in log_of(process):
        assert time.monotonic() < deadline, log_of(process)
        time.sleep(0.1)
    assert User.objects.count() == 1
    os.kill(process.pid, number)
    assert process.wait(20) == 130
    assert "Stopped before all steps were done; nothing is left behind." in log_of(process)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--email", "a@b.example"], "together"), (["--base-url", "localhost:8000"], "is not an address")],
)
def test_it_says_what_is_wrong_with_its_options(options: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("verify_auth", *options)
