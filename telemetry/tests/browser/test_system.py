"""The system page in a browser: it refreshes itself, and says when it cannot."""

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from telemetry.models import LedgerEntry
from telemetry.tests.web_server import WebServer

pytestmark = pytest.mark.browser

COUNTS = {"received": 1240, "stored": 1200, "duplicate": 30, "conflict": 6, "late": 12, "dead": 4}
STATE = "**/system/state"
NEW = '<div class="system" data-now="12:34:56"><section class="trouble"><p>Something else.</p></section></div>'


@pytest.fixture
def session_of_alice(alice: User, client: Client) -> str:
    """With something to see."""
    minute = now().replace(second=0, microsecond=0)
    LedgerEntry.objects.create(minute=minute, kind="mqtt", source="kandy/rolling/roller-2", **COUNTS)
    client.force_login(alice)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def system(session_of_alice: str, web: WebServer, stranger: Page) -> Page:
    """An admin's page, whose clock the test turns."""
    stranger.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of_alice, "url": web.url}])
    stranger.clock.install()
    stranger.goto("/system/")
    return stranger


def test_it_puts_new_facts_in_place_of_old_ones(system: Page, faults: list[str]) -> None:
    with system.expect_response(STATE) as genuine:
        system.clock.fast_forward(10_000)
    assert genuine.value.ok
    expect(system.locator(".system")).to_contain_text("kandy/rolling/roller-2")
    system.route(STATE, lambda route: route.fulfill(body=NEW, content_type="text/html"))
    system.clock.fast_forward(10_000)
    expect(system.locator(".system")).to_have_text("Something else.")
    expect(system.locator("[data-as-of]")).to_have_text("12:34:56")
    assert faults == []


def test_it_leaves_alone_what_somebody_is_at(system: Page, faults: list[str]) -> None:
    asked = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=NEW, content_type="text/html")

    system.route(STATE, answer)
    system.locator(".scroll").first.focus()
    system.clock.fast_forward(30_000)
    assert asked == []
    expect(system.locator(".system")).to_contain_text("kandy/rolling/roller-2")
    assert faults == []


def test_it_says_that_it_is_not_up_to_date(system: Page) -> None:
    system.route(STATE, lambda route: route.abort())
    for _ in range(3):
        with system.expect_request(STATE):
            system.clock.fast_forward(10_000)
    expect(system.locator("[data-strip]")).to_contain_text("All below is as of")
    system.unroute(STATE)
    system.click("[data-try-now]")
    expect(system.locator("[data-strip]")).to_be_hidden()


def test_it_never_scrolls_sideways(system: Page, faults: list[str]) -> None:
    for width in (320, 390, 900, 1440, 2560):
        system.set_viewport_size({"width": width, "height": 800})
        assert system.evaluate("document.documentElement.scrollWidth") <= width, width
    assert faults == []
