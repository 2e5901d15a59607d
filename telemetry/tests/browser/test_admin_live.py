"""The admin's list of sensors and its first page go on by themselves, and say when they don't."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from plants.models import Sensor
from telemetry.tests.browser.conftest import Publish
from telemetry.tests.samples import TEMP, store_series
from telemetry.tests.web_server import WebServer

pytestmark = pytest.mark.browser


@pytest.fixture
def temp(alice: User, client: Client, kandy: Any) -> Sensor:
    client.force_login(alice)
    return store_series(TEMP, [(datetime.fromtimestamp(time.time() - 5, UTC), 23.4)])


@pytest.fixture
def admin(temp: Sensor, client: Client, web: WebServer, stranger: Page) -> Page:
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    stranger.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": web.url}])
    return stranger


def test_it_shows_new_readings_in_the_list_of_sensors(
    admin: Page, temp: Sensor, kandy: Any, publish: Publish, faults: list[str]
) -> None:
    admin.goto("/admin/plants/sensor/")
    expect(admin.locator("[data-pill-word]")).to_have_text("Live")
    cell = admin.locator(f"[data-value='{temp.number}']")
    expect(cell).to_contain_text("23.4")
    publish(kandy, temp.number, time.time(), 24.5)
    expect(cell).to_contain_text("24.5")
    assert faults == []


def test_it_refreshes_its_first_page(admin: Page, kandy: Any, faults: list[str]) -> None:
    admin.clock.install()
    admin.goto("/admin/")
    fresh = admin.locator(".state dt:text-is('Sensors fresh') + dd")
    expect(fresh).to_have_text("1")
    admin.evaluate("document.querySelector('.state dd').textContent = 'old'")
    admin.clock.run_for(11_000)
    expect(admin.locator(".state dd").first).not_to_have_text("old")
    assert faults == []


def test_it_says_that_its_first_page_is_not_live(admin: Page) -> None:
    def fail(route: Route) -> None:
        route.abort()

    admin.clock.install()
    admin.goto("/admin/")
    expect(admin.locator("[data-strip]")).to_be_hidden()
    admin.route("**/admin/state/", fail)
    for _ in range(4):
        admin.clock.run_for(10_500)
    expect(admin.locator("[data-strip]")).to_be_visible()
    expect(admin.locator("[data-strip]")).to_contain_text("All below is as of")
