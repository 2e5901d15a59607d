"""The web server as it is reached from outside, and its clock."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from inqube.doctor import web
from inqube.doctor.clocks import compare
from inqube.doctor.findings import Finding, Status
from inqube.tests.doctor.conftest import ask

MOMENT = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)


def answered(settings: Any, status: int, ahead: timedelta = timedelta()) -> dict[str, Finding]:
    """What is found where a server answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status if self.path == "/readyz" else 404)
            self.send_header("Date", format_datetime(datetime.now(UTC) + ahead, usegmt=True))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.handle_request, daemon=True)
    thread.start()
    settings.PUBLIC_URL = f"http://127.0.0.1:{server.server_port}"
    try:
        return ask(web.AREA)
    finally:
        thread.join(10)
        server.server_close()


def test_it_is_content_with_a_server_that_is_ready(settings: Any) -> None:
    assert {line.status for line in answered(settings, 200).values()} == {Status.OK}


def test_it_says_that_it_is_not_ready_and_where_to_look(settings: Any) -> None:
    line = answered(settings, 503)["web"]
    assert line.status == Status.FAILED
    assert line.detail.endswith("/readyz answers 503")
    assert "/health" in line.remedy


def test_it_finds_a_clock_that_is_wrong(settings: Any) -> None:
    assert answered(settings, 200, timedelta(minutes=10))["web-clock"].status == Status.FAILED


@pytest.mark.parametrize(
    ("theirs", "status"),
    [
        (MOMENT, Status.OK),
        (MOMENT + timedelta(seconds=1.5), Status.OK),
        (MOMENT + timedelta(seconds=4), Status.WARNING),
        (MOMENT - timedelta(seconds=4), Status.WARNING),
        (MOMENT - timedelta(seconds=90), Status.FAILED),
    ],
)
def test_it_tells_a_clock_that_is_off_from_one_that_is_wrong(theirs: datetime, status: Status) -> None:
    assert compare("it", theirs, MOMENT, MOMENT).status == status


def test_it_does_not_mistake_a_slow_answer_or_whole_seconds_for_a_wrong_clock() -> None:
    assert compare("it", MOMENT, MOMENT - timedelta(seconds=5), MOMENT + timedelta(seconds=5)).status == Status.OK
    told = MOMENT.replace(second=59) - timedelta(minutes=1)
    assert compare("it", told, MOMENT, MOMENT, timedelta(seconds=1)).detail == "it has the same time as this machine"
