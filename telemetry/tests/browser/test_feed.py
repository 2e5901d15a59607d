"""How pages come back to the live feed, with a server that is only played."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, WebSocketRoute

from plants.models import Plant

pytestmark = pytest.mark.browser

FEED = "**/api/v1/ws/telemetry"
SERVER_FAILED, SERVER_RESTARTS = 1011, 1012
RESTART_SPREAD_MS = 2000  # as feed.js has it


@pytest.fixture
def sockets(kandy: Plant, page: Page) -> list[WebSocketRoute]:
    """Those that the page of kandy has open, at a time that stands still."""
    found: list[WebSocketRoute] = []

    def opened(socket: WebSocketRoute) -> None:
        found.append(socket)

    page.route_web_socket(FEED, opened)
    page.clock.install(time=timezone.now())
    page.clock.pause_at(timezone.now())
    page.goto("/plants/kandy/")
    wait_for(page, sockets=found)
    return found


def wait_for(page: Page, sockets: list[WebSocketRoute], within_ms: int = 10_000) -> None:
    for _ in range(0, within_ms, 50):
        if sockets:
            return
        page.wait_for_timeout(50)


def test_it_comes_back_soon_however_often_the_server_restarts(page: Page, sockets: list[WebSocketRoute]) -> None:
    for _ in range(5):
        sockets.pop().close(code=SERVER_RESTARTS)
        page.clock.run_for(RESTART_SPREAD_MS)
        wait_for(page, sockets)
        assert sockets


def test_it_waits_longer_each_time_that_the_server_fails(page: Page, sockets: list[WebSocketRoute]) -> None:
    for longest_ms in (500, 1000, 2000):
        sockets.pop().close(code=SERVER_FAILED)
        page.clock.run_for(longest_ms)
        wait_for(page, sockets)
        assert sockets
    sockets.pop().close(code=SERVER_FAILED)
    page.clock.run_for(1999)
    wait_for(page, sockets, within_ms=500)
    assert not sockets
