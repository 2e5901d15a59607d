"""One web server and one Chromium for all tests of a run that look at pages.

Each takes longer to start than a test does. What a test does in the browser stays in a context of its own, which
has its own cookies, storage and cache, and in rows that nobody else made.
"""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from inqube.demo.chromium import chromium
from telemetry.tests.web_server import WebServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
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


@pytest.fixture(scope="session")
def only_browser() -> "Iterator[tuple[Browser, asyncio.AbstractEventLoop]]":
    """With the event loop of Playwright, which runs in the tests' thread."""
    from playwright.sync_api import sync_playwright  # here: not every test needs it

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield launched, loop
        asyncio._set_running_loop(loop)
        launched.close()


@pytest.fixture
def browser(only_browser: "tuple[Browser, asyncio.AbstractEventLoop]") -> "Iterator[Browser]":
    """The browser, without a context left of an earlier test.

    Between two calls Playwright's loop counts as running. It does so only while a test has the browser: meanwhile
    Django refuses to touch the database in this thread, and nothing can be awaited there.
    """
    launched, loop = only_browser
    asyncio._set_running_loop(loop)
    yield launched
    for context in launched.contexts:
        context.close()
    asyncio._set_running_loop(None)
