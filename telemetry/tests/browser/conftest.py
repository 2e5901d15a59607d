"""A real web server on the test database, and a browser that keeps an account of what goes wrong in it.

The server is one for the whole run, since it takes longer to start than a test does; each test has a browser of its
own, and rows that nobody else made.

Playwright's synchronous API leaves an event loop running in the test's thread, in which Django refuses to touch
the database and nothing can be awaited: tests make their rows before they ask for `page`, and send frames through
`publish`, which has a thread of its own.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from accounts.models import User
from plants.models import Plant
from plants.scales import GOOD
from telemetry.live.publish import LivePublisher
from telemetry.tests.web_server import WebServer

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def only_server(process_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    server = WebServer(process_env, tmp_path_factory.mktemp("web") / "daphne.log")
    yield server
    server.kill()


@pytest.fixture
def web(transactional_db: None, only_server: WebServer) -> WebServer:
    if not only_server.is_running:  # a test that stopped it failed before it started it again
        only_server.start()
    return only_server


@pytest.fixture
def faults() -> list[str]:
    """What went wrong in the browser: errors, refusals of the content security policy, requests elsewhere."""
    return []


@pytest.fixture
def stranger(web: WebServer, faults: list[str]) -> Iterator[Page]:
    """A page of a browser in which nobody is signed in."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(base_url=web.url, viewport={"width": 1440, "height": 900})
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(web.url) else faults.append(request.url))
        yield page
        browser.close()


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
