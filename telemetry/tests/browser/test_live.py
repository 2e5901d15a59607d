"""The plant page in a real browser, fed by the real socket."""

import re
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.tests.browser.conftest import Publish
from telemetry.tests.conftest import Store
from telemetry.tests.web_server import WebServer

pytestmark = pytest.mark.browser

OFFLINE_AFTER_MS = 10_000  # as feed.js has it
RETRIES_WITHIN_MS = 30_000  # twice what it waits at most
PASSWORD = "correct horse battery"  # of every person in tests


@pytest.fixture
def temp(kandy: Plant, store: Store) -> int:
    """The number of a sensor that read 20.0 one and a half minutes ago."""
    sensor = Sensor.objects.get(slug="temp")
    store(sensor, [(timezone.now() - timedelta(seconds=90), 20.0)])
    return sensor.number


@pytest.fixture
def rpm(kandy: Plant) -> int:
    """The number of a sensor without a reading."""
    return Sensor.objects.get(slug="rpm").number


@pytest.fixture
def state(kandy: Plant, store: Store) -> int:
    """The number of the state sensor of the same machine, which has been running for half an hour."""
    sensor = Sensor.objects.get(slug="state")
    now = timezone.now()
    store(sensor, [(now - timedelta(minutes=34), 0), (now - timedelta(minutes=30), 1)])
    return sensor.number


def test_it_moves_values_as_they_arrive(
    temp: int, kandy: Plant, page: Page, publish: Publish, faults: list[str]
) -> None:
    page.goto("/plants/kandy/")
    expect(page.locator("[data-pill-word]")).to_have_text("Live")
    row = page.locator(f'[data-sensor="{temp}"]')
    expect(row.locator(".number")).to_have_text("20.0")
    expect(row.locator(".age time")).to_contain_text("min")

    publish(kandy, temp, time.time(), 1234.56)

    expect(row.locator(".number")).to_have_text("1\u202f234.6")
    expect(row.locator(".age time")).to_have_text(re.compile("^\\d+\u202fs$"))
    assert faults == []


def test_it_never_moves_a_value_back(
    temp: int, rpm: int, kandy: Plant, page: Page, publish: Publish, faults: list[str]
) -> None:
    page.goto("/plants/kandy/")
    expect(page.locator("[data-pill-word]")).to_have_text("Live")

    publish(kandy, temp, time.time() - 3600, 1.0)  # late: the page shows a newer one
    publish(kandy, rpm, time.time(), 742.0)

    # Frames keep their order: this one has come, so the late one has too.
    expect(page.locator(f'[data-sensor="{rpm}"] .number')).to_have_text("742.0")
    expect(page.locator(f'[data-sensor="{temp}"] .number')).to_have_text("20.0")
    assert faults == []


def test_it_says_what_a_machine_does_as_that_changes(
    temp: int, state: int, kandy: Plant, page: Page, publish: Publish, faults: list[str]
) -> None:
    page.goto("/plants/kandy/")
    expect(page.locator("[data-pill-word]")).to_have_text("Live")  # a frame before that reaches nobody
    machine = page.locator(".machine")
    expect(machine.locator(".word")).to_have_text("Running")
    expect(machine.locator(".since")).to_have_text("30\u202fmin")

    publish(kandy, state, time.time(), 3)

    expect(machine.locator(".word")).to_have_text("Fault")
    expect(machine.locator(".since")).to_contain_text("\u202fs")
    expect(machine).to_have_attribute("data-state", "fault")
    expect(page.locator("[data-states]")).to_contain_text("1 fault")
    expect(page.locator("[data-count=abnormal]")).to_have_text("1")
    assert faults == []


def test_it_greys_out_when_the_feed_is_lost_and_comes_back(temp: int, page: Page, web: WebServer) -> None:
    now = timezone.now()
    page.clock.install(time=now - timedelta(minutes=1))  # it runs until it is paused, and can't be turned back
    page.clock.pause_at(now)
    page.goto("/plants/kandy/")
    expect(page.locator("[data-pill-word]")).to_have_text("Live")
    root, strip, content = page.locator("html"), page.locator("[data-strip]"), page.locator("#content")
    expect(content).to_have_css("filter", "none")

    web.kill()

    expect(page.locator("[data-pill-word]")).to_have_text("Reconnecting")
    page.clock.run_for(OFFLINE_AFTER_MS - 1000)
    expect(page.locator("[data-pill-word]")).to_have_text("Reconnecting")
    expect(strip).to_be_hidden()
    page.clock.run_for(2000)
    expect(root).to_have_attribute("data-feed", "offline")
    expect(page.locator("[data-pill-word]")).to_have_text("Offline")
    expect(strip).to_be_visible()
    expect(strip).to_contain_text("Not live. Every value below is as of")
    expect(page.locator("[data-fresh]")).to_have_text("–")
    expect(page.locator(f'[data-sensor="{temp}"] .number')).to_have_text("20.0")
    expect(page.locator(f'[data-sensor="{temp}"] .age time')).to_have_text(
        re.compile(r"^\d\d:\d\d$|^\d+ [A-Z][a-z]+$")  # its time, or its day just after midnight
    )
    expect(content).to_have_css("filter", "grayscale(1)")

    expect(strip).to_contain_text("Trying again in")
    web.start()
    page.click("text=Try now")

    expect(root).to_have_attribute("data-feed", "live")
    expect(strip).to_be_hidden()
    expect(content).to_have_css("filter", "none")


def test_it_greys_out_when_the_server_answers_but_nothing_comes_from_ingest(
    temp: int, kandy: Plant, page: Page, publish: Publish
) -> None:
    now = timezone.now()
    page.clock.install(time=now - timedelta(minutes=1))
    page.clock.pause_at(now)
    page.goto("/plants/kandy/")
    expect(page.locator("[data-pill-word]")).to_have_text("Live")
    root = page.locator("html")

    for _ in range(OFFLINE_AFTER_MS // 1000 + 2):  # its pings are answered meanwhile
        page.clock.run_for(1000)
        page.wait_for_timeout(50)

    expect(root).to_have_attribute("data-feed", "offline")
    expect(page.locator("[data-strip]")).to_contain_text("Nothing from the feed for")
    publish(kandy, temp, time.time() + 60, 21.0)
    expect(root).to_have_attribute("data-feed", "live")
    expect(page.locator(f'[data-sensor="{temp}"] .number')).to_have_text("21.0")


def test_it_says_that_the_session_is_over_and_goes_on_after_signing_in(
    vera: User, temp: int, page: Page, web: WebServer
) -> None:
    page.goto("/plants/kandy/?show=abnormal")
    expect(page.locator("[data-pill-word]")).to_have_text("Live")

    page.context.clear_cookies()
    web.kill()
    web.start()
    page.evaluate("dispatchEvent(new Event('online'))")  # or it would connect some time of its own choice later

    # Where its first try comes to nothing on a busy machine, the next one does not.
    expect(page.locator("[data-strip]")).to_contain_text("You are signed out.", timeout=RETRIES_WITHIN_MS)
    page.click("[data-sign-in]")
    page.wait_for_url("**/login/?next=%2Fplants%2Fkandy%2F%3Fshow%3Dabnormal")
    page.fill("[name=username]", vera.email)
    page.fill("[name=password]", PASSWORD)
    page.click("text=Sign in >> nth=-1")

    page.wait_for_url("**/plants/kandy/?show=abnormal")
    expect(page.locator("[data-pill-word]")).to_have_text("Live")
