"""A real web server on the test database, and a browser that keeps an account of what goes wrong in it.

Server and browser are those of telemetry/tests/browsing.py. In a test's thread nothing can be awaited while it has
the browser, and Django refuses to touch the database: tests make their rows before they ask for `page`, and send
frames through `publish`, which has a thread of its own.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from accounts.models import User
from plants.models import Plant
from plants.scales import GOOD
from telemetry.live.publish import LivePublisher
from telemetry.tests.web_server import WebServer


@pytest.fixture
def faults() -> list[str]:
    """What went wrong in the browser: errors, refusals of the content security policy, requests elsewhere."""
    return []


@pytest.fixture
def stranger(web: WebServer, browser: Browser, faults: list[str]) -> Page:
    """A page on which nobody is signed in."""
    page = browser.new_page(base_url=web.url, viewport={"width": 1440, "height": 900})
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(web.url) else faults.append(request.url))
    return page


@pytest.fixture
def session_of_vera(vera: User, client: Client) -> str:
    client.force_login(vera)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def page(session_of_vera: str, web: WebServer, stranger: Page) -> Page:
    """A page of Vera's browser, signed in."""
    stranger.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of_vera, "url": web.url}])
    return stranger


Publish = Callable[[Plant, int, float, float], None]


@pytest.fixture
def publish() -> Publish:
    """`publish(plant, sensor number, unix time, value)`: what ingest does after a commit."""
    publisher = LivePublisher()  # one, as ingest has: after another's frame the page gets a snapshot of what is stored

    def send(plant: Plant, sensor: int, at: float, value: float) -> None:
        async def flush() -> None:
            publisher.offer([(sensor, int(at * 1_000_000), value, GOOD)], {sensor: plant.pk})
            await publisher.flush()

        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, flush()).result()

    return send
