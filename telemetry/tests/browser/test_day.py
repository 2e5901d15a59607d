"""A console's day in one browser: signed in through the form, live, without its server, and live again."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.tests.browser.conftest import Publish
from telemetry.tests.browser.test_doors import sign_in
from telemetry.tests.conftest import Store
from telemetry.tests.web_server import WebServer

pytestmark = pytest.mark.browser


@pytest.fixture
def temp(vera: User, kandy: Plant, store: Store) -> int:
    """The number of a sensor that read 20.0 half a minute ago."""
    sensor = Sensor.objects.get(slug="temp")
    store(sensor, [(timezone.now() - timedelta(seconds=30), 20.0)])
    return sensor.number


def test_it_is_live_from_the_sign_in_on_and_again_after_the_server_was_gone(
    temp: int, kandy: Plant, web: WebServer, stranger: Page, publish: Publish, faults: list[str]
) -> None:
    page = stranger
    page.goto("/plants/kandy/")
    sign_in(page, "vera@example.org")
    number = page.locator(f'[data-sensor="{temp}"] .number')
    expect(page.locator("[data-pill-word]")).to_have_text("Live")
    expect(number).to_have_text("20.0")
    publish(kandy, temp, time.time(), 21.5)
    expect(number).to_have_text("21.5")
    assert faults == []

    web.kill()

    expect(page.locator("html")).to_have_attribute("data-feed", "offline", timeout=20_000)
    expect(page.locator("[data-strip]")).to_contain_text("Not live.")
    expect(page.locator("#content")).to_have_css("filter", "grayscale(1)")
    expect(number).to_have_text("21.5")

    web.start()
    page.click("text=Try now")
    expect(page.locator("html")).to_have_attribute("data-feed", "live")
    publish(kandy, temp, time.time(), 22.5)

    expect(number).to_have_text("22.5")
    expect(page.locator("#content")).to_have_css("filter", "none")
    assert [fault for fault in faults if "ERR_CONNECTION" not in fault] == []
