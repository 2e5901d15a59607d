"""An operator's way through the inbox: find what is wrong, mend it, replay, see the reading."""

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.models import DeadLetter
from telemetry.tests.letters import make_letter
from telemetry.tests.web_server import WebServer

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    """Switched off, so that its readings became dead letters."""
    Sensor.objects.filter(slug="temp").update(is_active=False)
    return Sensor.objects.get(slug="temp")


@pytest.fixture
def letters(kandy: Plant, temp: Sensor) -> list[DeadLetter]:
    others = [make_letter(kandy, HOSTILE.encode(), reason="invalid_json", detail=HOSTILE) for _ in range(2)]
    return [*others, make_letter(kandy, b"61.75")]


@pytest.fixture
def session_of_bob(bob: User, client: Client) -> str:
    client.force_login(bob)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def operator(letters: list[DeadLetter], session_of_bob: str, web: WebServer, stranger: Page) -> Page:
    stranger.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of_bob, "url": web.url}])
    return stranger


def test_it_replays_after_the_fix(operator: Page, temp: Sensor, faults: list[str]) -> None:
    page = operator
    page.goto("/")
    page.get_by_role("link", name="Dead letters 3 to decide").first.click()
    page.get_by_role("navigation", name="Reason").get_by_role("link", name="Sensor inactive 1").click()
    row = page.get_by_role("row").filter(has_text="Activate it to store.")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Replay 1").click()
    expect(page.get_by_role("status").filter(has_text="0 replayed")).to_contain_text("1 stays:")

    page.goto(f"/admin/plants/sensor/{temp.pk}/change/")
    page.check("[name=is_active]")
    page.click("[name=_save]")

    page.goto("/dead-letters/?reason=sensor_inactive")
    page.get_by_role("link", name="Sensor inactive", exact=True).click()
    page.get_by_role("link", name="Try in the topic tester").click()
    expect(page.get_by_role("row").filter(has_text="Would be stored")).to_contain_text("61.75")
    page.go_back()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("status").filter(has_text="1 replayed")).to_contain_text("1 reading stored")
    page.goto("/plants/kandy/")
    expect(page.locator(f"[data-sensor='{temp.number}'] .number")).to_have_text("61.8")
    assert faults == []


def test_it_selects_by_mouse_and_by_keys(operator: Page, faults: list[str]) -> None:
    page = operator
    page.goto("/dead-letters/")
    expect(page.get_by_role("button", name="Discard…")).to_be_disabled()

    page.get_by_label("Select all on this page").check()
    expect(page.get_by_role("button", name="Discard 3…")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Discard…")).to_be_disabled()
    page.locator("h1").click()
    for key in ("j", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("tbody tr").nth(1).get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert faults == []


def test_it_discards_without_a_script(operator: Page, web: WebServer) -> None:
    assert operator.context.browser is not None
    context = operator.context.browser.new_context(java_script_enabled=False, base_url=web.url)
    context.add_cookies(operator.context.cookies())  # type: ignore[arg-type]  # what it gives, it takes
    page = context.new_page()
    page.goto("/dead-letters/?reason=invalid_json")
    page.get_by_label("All 2 that match").check()
    page.get_by_role("button", name="Discard…").click()
    page.get_by_role("button", name="Discard 2").click()
    expect(page.get_by_role("status").filter(has_text="discarded")).to_have_text("2 discarded.")


def test_it_says_what_is_what_to_those_who_do_not_see(operator: Page, letters: list[DeadLetter]) -> None:
    """At both widths: as cards too, it is a table."""
    for width in (1280, 390):
        operator.set_viewport_size({"width": width, "height": 844})
        operator.goto("/dead-letters/")
        table = operator.get_by_role("table", name="Dead letters, newest first")
        expect(table.get_by_role("row")).to_have_count(4)
        expect(table.get_by_role("rowheader")).to_have_count(3)
        expect(operator.get_by_role("search", name="Filter")).to_be_visible()
        for label in ("Plant", "Source: plant/zone/machine, or its beginning"):
            expect(operator.get_by_label(label, exact=True)).to_be_visible()
        expect(operator.get_by_role("navigation", name="State").locator("[aria-current]")).to_have_text("New 3")


def test_it_never_scrolls_sideways(operator: Page, letters: list[DeadLetter], faults: list[str]) -> None:
    letter = letters[0].pk
    paths = ["/dead-letters/", f"/dead-letters/{letter}/", f"/topic-tester/?letter={letter}", "/discovered-sensors/"]
    for path in paths:
        operator.goto(path)
        for width in (320, 390, 900, 1440, 2560):
            operator.set_viewport_size({"width": width, "height": 800})
            assert operator.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    assert faults == []
