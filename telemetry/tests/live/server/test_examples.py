"""The example clients of docs/examples, as processes, against a real web server."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import TokenFamily, User
from inqube import embedded
from plants.models import Plant, Sensor
from telemetry.tests.browser.conftest import Publish
from telemetry.tests.browser.conftest import publish as publish
from telemetry.tests.faults.proxy import proxy_to
from telemetry.tests.live.server.conftest import StartWeb
from telemetry.tests.samples import store_series
from telemetry.tests.waiting import wait_until

PASSWORD = "correct horse battery"
EXAMPLES = Path(settings.BASE_DIR) / "docs" / "examples"
TEMP, STATE = "kandy/rolling/roller-2/temp", "kandy/rolling/roller-2/state"
START = datetime(2026, 11, 29, 12, 0, 0, 250_000, tzinfo=UTC)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


class Client:
    """An example that runs; `readings` and `news` are the lines of its two outputs so far."""

    def __init__(self, argv: list[str], environment: dict[str, str], directory: Path) -> None:
        self._outputs = directory / "stdout", directory / "stderr"
        with self._outputs[0].open("wb") as out, self._outputs[1].open("wb") as err:
            self.process = subprocess.Popen(
                argv,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                preexec_fn=embedded.end_with_parent(signal.SIGKILL),
            )

    @property
    def readings(self) -> list[str]:
        return self._outputs[0].read_text().splitlines()

    @property
    def news(self) -> list[str]:
        return self._outputs[1].read_text().splitlines()

    def wait_for_news(self, begin: str, times: int = 1) -> None:
        wait_until(lambda: sum(line.startswith(begin) for line in self.news) >= times or not self.runs)
        assert sum(line.startswith(begin) for line in self.news) >= times, self.news

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


def python() -> list[str]:
    return [sys.executable, str(EXAMPLES / "live.py")]


def node() -> list[str]:
    program = shutil.which("node")
    assert program is not None
    return [program, "--experimental-websocket", "--no-warnings", str(EXAMPLES / "live.mjs")]


Start = Callable[..., Client]


@pytest.fixture(params=[python, pytest.param(node, marks=pytest.mark.node)])
def start(request: pytest.FixtureRequest, vera: User, tmp_path: Path) -> Iterator[Start]:
    """`start(url, plant="kandy", password=…)`: each of the examples, as Vera; ended after the test."""
    started: list[Client] = []

    def run(url: str, plant: str = "kandy", password: str = PASSWORD) -> Client:
        environment = {"INQUBE_URL": url, "INQUBE_EMAIL": vera.email, "INQUBE_PASSWORD": password}
        client = Client([*request.param(), plant], environment | {"NO_PROXY": "*"}, tmp_path)
        started.append(client)
        return client

    yield run
    for client in started:
        embedded.stop(client.process, signal.SIGKILL)


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    """Has a first reading, 23.4 at START."""
    return store_series(TEMP, [(START, 23.4)])


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def line(seconds: int, shown: str, quality: str = "good") -> str:
    """What is printed of a reading of temp; the two write UTC differently."""
    return f"{at(seconds):%Y-%m-%dT%H:%M:%S}.250 {TEMP} {shown} {quality}"


def without_zone(lines: list[str]) -> list[str]:
    return [each.replace("+00:00 ", " ", 1).replace("Z ", " ", 1) for each in lines]


def test_it_prints_what_is_and_what_comes_and_ends_in_order(
    start_web: StartWeb, start: Start, kandy: Plant, temp: Sensor, publish: Publish
) -> None:
    store_series(STATE, [(START, 1.0)])
    client = start(start_web().url)
    client.wait_for_news("Now following kandy, with a snapshot.")
    publish(kandy, temp.number, at(1).timestamp(), 23.5)
    wait_until(lambda: len(client.readings) == 3)
    state, *temps = sorted(without_zone(client.readings))
    assert state == f"2026-11-29T12:00:00.250 {STATE} running good"
    assert temps == [line(0, "23.4 °C"), line(1, "23.5 °C")]
    client.wait_for_news("Nothing new, but the server answers.")
    assert client.interrupt() == 0
    assert client.news[-1] == "Ended."
    assert TokenFamily.objects.live().count() == 0  # it has signed out


def test_it_comes_back_after_the_server_and_repeats_nothing(
    start_web: StartWeb, start: Start, kandy: Plant, temp: Sensor, publish: Publish
) -> None:
    web = start_web()
    client = start(web.url)
    wait_until(lambda: len(client.readings) == 1)
    web.kill()
    client.wait_for_news("The connection is closed (1006).")
    store_series(TEMP, [(at(1), 24.0)])  # meanwhile
    web.start()
    client.wait_for_news("Again following kandy, with a snapshot.")
    publish(kandy, temp.number, at(2).timestamp(), 24.5)
    wait_until(lambda: len(client.readings) == 3)
    assert without_zone(client.readings) == [line(0, "23.4 °C"), line(1, "24 °C"), line(2, "24.5 °C")]


def test_it_resumes_where_the_connection_broke(
    start_web: StartWeb, start: Start, kandy: Plant, temp: Sensor, publish: Publish
) -> None:
    web = start_web()
    with proxy_to(web.port, None) as proxy:
        client = start(f"http://127.0.0.1:{proxy.port}")
        client.wait_for_news("Now following kandy")
        publish(kandy, temp.number, at(1).timestamp(), 24.0)
        wait_until(lambda: len(client.readings) == 2)
        proxy.cut()
        publish(kandy, temp.number, at(2).timestamp(), 24.5)
        client.wait_for_news("Again following kandy, from where it broke off.")
        wait_until(lambda: len(client.readings) == 3)
    assert without_zone(client.readings) == [line(0, "23.4 °C"), line(1, "24 °C"), line(2, "24.5 °C")]


def test_it_renews_its_token_on_the_open_socket(
    start_web: StartWeb, start: Start, kandy: Plant, temp: Sensor, publish: Publish
) -> None:
    client = start(start_web(ACCESS_TOKEN_MINUTES="1").url)  # is announced to expire at once
    client.wait_for_news("The token is renewed, good until", times=2)
    publish(kandy, temp.number, at(1).timestamp(), 24.0)
    wait_until(lambda: len(client.readings) == 2)
    assert not any(line.startswith(("The connection", "Again")) for line in client.news)


def test_it_says_why_it_cannot_follow(start_web: StartWeb, start: Start, rotterdam: Plant) -> None:
    client = start(start_web().url, plant="rotterdam")
    assert client.process.wait(20) == 1
    assert client.news == ["There is no plant “rotterdam”."]


def test_it_says_why_it_cannot_sign_in(start_web: StartWeb, start: Start, kandy: Plant) -> None:
    client = start(start_web().url, password="wrong")
    assert client.process.wait(20) == 1
    assert client.readings == []
    assert client.news[0].startswith("Not signed in: ")
    assert len(client.news) == 1
