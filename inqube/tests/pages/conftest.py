"""A web server on a database with one scene, and a browser for each person.

A test goes through many pages: to begin anew for each would take longer than to look at it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page

from inqube.tests.pages.scene import Scene, build
from inqube.tests.pages.visits import Visit
from telemetry.tests.web_server import WebServer


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    return build()


@dataclass
class Visitor:
    """Opens pages as the people of a scene, each in a context of their own, which keeps its files."""

    browser: Browser
    web: WebServer
    scene: Scene
    faults: list[str] = field(default_factory=list)
    contexts: dict[str, BrowserContext] = field(default_factory=dict)

    def open(self, visit: Visit, **media: Any) -> Page:
        """The page alone; what goes wrong in it is added to `faults`."""
        if visit.who not in self.contexts:
            self.contexts[visit.who] = self.context(visit.who)
        context = self.contexts[visit.who]
        for page in context.pages:
            page.close()
        self.faults.clear()
        page = context.new_page()
        page.emulate_media(**media)
        refusal = f"status of {visit.status}" if visit.status >= 400 else None  # Chromium's words for what is meant
        page.on("console", lambda said: self.note(said.text, refusal) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.note(request.url, self.web.url))
        page.goto(visit.path.format(**self.scene.ids), wait_until="load")
        page.evaluate(WIDGETS_MADE)
        if visit.then:
            visit.then(page)
        return page

    def context(self, who: str) -> BrowserContext:
        context = self.browser.new_context(base_url=self.web.url, viewport={"width": 1440, "height": 900})
        if who:
            session = self.scene.sessions[who]
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.web.url}])
        return context

    def note(self, text: str, allowed: str | None) -> None:
        if allowed is None or allowed not in text:
            self.faults.append(text)


@pytest.fixture
def visitor(scene: Scene, web: WebServer, browser: Browser) -> Visitor:
    return Visitor(browser, web, scene)


Findings = Callable[..., list[str]]


@pytest.fixture(scope="session")
def findings() -> Findings:
    """`findings(page, rules=None)`: what axe-core has against a page by WCAG 2.2 A and AA, a line each.

    The script comes through the debugger, for which the content security policy does not count.
    """

    def run(page: Page, *rules: str) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
        answer = page.evaluate(
            "options => axe.run(document, options)", {"runOnly": only, "resultTypes": ["violations"], "preload": False}
        )
        return [
            f"{found['id']} ({found['impact']}): {node['target']} {node['html'][:120]} {node['failureSummary'][:200]}"
            for found in answer["violations"]
            for node in found["nodes"]
        ]

    return run


# Of the admin, which makes some when jQuery says that the page is ready.
WIDGETS_MADE = "new Promise(done => window.django?.jQuery ? window.django.jQuery(() => setTimeout(done)) : done())"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
