"""Alarms in browsers: they appear while a page stands, and two people may acknowledge the same one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils.timezone import now
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, Rule, Source
from alarms.models.alarms import announce
from alarms.tests.alarms import make_alarm
from conftest import member
from plants.models import Plant, Sensor
from telemetry.tests.web_server import WebServer

pytestmark = pytest.mark.browser

Do = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def elsewhere() -> Do:
    """Does something with the database, which the test's own thread may not while it has a browser."""

    def do(what: Callable[[], Any]) -> Any:
        def run() -> Any:
            try:
                return what()
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(run).result()

    return do


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    return Sensor.objects.select_related("machine__zone__plant").get(slug="temp")


@pytest.fixture
def alarm(temp: Sensor) -> Alarm:
    return make_alarm(temp, trigger_value=81.2)


def happens(sensor: Sensor, **fields: Any) -> Alarm:
    """As when ingest raises one."""
    alarm = make_alarm(sensor, **fields)
    AlarmEvent.objects.create(
        alarm=alarm, plant=alarm.plant, kind="raised", state="raised", time=now(), source=Source.INGEST
    )
    announce([alarm.plant_id])
    return alarm


@pytest.fixture
def sessions(bob: User, kandy: Plant, password_hash: str) -> list[str]:
    """Of two operators."""
    found = []
    for user in (bob, member(kandy, "Kamala", "operator", password_hash)):
        client = Client()
        client.force_login(user)
        found.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    return found


@pytest.fixture
def pages(alarm: Alarm, sessions: list[str], web: WebServer, browser: Browser, faults: list[str]) -> list[Page]:
    found = []
    for session in sessions:
        context = browser.new_context(base_url=web.url, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": web.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        found.append(page)
    return found


def test_the_overview_says_an_alarm_in_place_of_what_is_not_as_bad(
    temp: Sensor, page: Page, elsewhere: Do, faults: list[str]
) -> None:
    page.goto("/")
    card = page.locator('[data-plant="kandy"]')
    expect(page.locator("[data-pill-word]")).to_have_text("Live")
    expect(card.locator(".worst:visible")).to_have_text("Nothing abnormal")

    elsewhere(lambda: happens(temp, trigger_value=81.2))

    expect(card.locator(".worst:visible b")).to_have_text("Roller 2: temperature high")
    expect(card.locator(".zone-alarms .severity")).to_have_count(1)
    assert faults == []


def test_it_is_acknowledged_once_by_two_at_once(pages: list[Page], alarm: Alarm, faults: list[str]) -> None:
    for page in pages:
        page.goto("/alarms/")
    for page in pages:  # both are on their way before one has an answer
        page.evaluate("setTimeout(() => document.querySelector('.alarm-banner .primary').click())")
    texts = []
    for page in pages:
        said = page.locator("main .messages")
        expect(said).to_be_visible()
        texts.append(said.inner_text())
        expect(page.locator(".alarm-banner")).to_have_count(0)
    won = [text for text in texts if "1 alarm acknowledged." in text]
    lost = [text for text in texts if "Already acknowledged by" in text]
    assert (len(won), len(lost)) == (1, 1)
    pages[0].goto(f"/alarms/{alarm.pk}/")
    winner = "Bob" if won[0] == texts[0] else "Kamala"
    expect(pages[0].locator(".journal li").filter(has_text="Acknowledged")).to_contain_text(winner)
    assert winner in lost[0]
    assert faults == []


def test_it_keeps_what_is_selected_when_another_comes(
    pages: list[Page], temp: Sensor, alarm: Alarm, elsewhere: Do, faults: list[str]
) -> None:
    page = pages[0]
    page.goto("/alarms/")
    expect(page.locator("html[data-feed=live]")).to_be_attached()
    for key in ("j", "x"):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Acknowledge 1", exact=True)).to_be_enabled()

    elsewhere(lambda: happens(temp, severity="critical", title="Roller 2: second"))

    expect(page.locator("[data-alarm]")).to_have_count(2)
    own = page.locator(f"[name=ids][value='{alarm.pk}']")
    expect(own).to_be_checked()
    expect(own).to_be_focused()
    expect(page.locator(".alarm-banner")).to_contain_text("2 not acknowledged")
    expect(page.locator("[data-alarm-said]")).to_have_text("Roller 2: second")

    page.get_by_role("button", name="Shelve 1…").click()
    page.get_by_label("Reason").fill("Probe is being calibrated")
    page.get_by_role("button", name="Shelve until").click()
    expect(page.locator("main .messages")).to_contain_text("1 alarm shelved.")
    expect(page.locator(".shelved")).to_contain_text("Probe is being calibrated")
    assert faults == []


def test_it_appears_and_goes_on_a_page_of_values(
    temp: Sensor, kandy: Plant, bob: User, page: Page, elsewhere: Do, faults: list[str]
) -> None:
    page.goto("/plants/kandy/")
    expect(page.locator(".alarm-banner")).to_have_count(0)
    expect(page.locator("html[data-feed=live]")).to_be_attached()
    rule = elsewhere(lambda: Rule.objects.create(plant=kandy, sensor=temp, kind="high", setpoint=1, severity="high"))
    alarm = elsewhere(lambda: happens(temp, rule=rule))
    row = page.locator(f"[data-sensor='{temp.number}']")
    expect(row).to_have_attribute("data-severity", "high")
    expect(page.locator("article h3 .severity")).to_be_visible()
    expect(page.locator(".alarm-banner")).to_contain_text("1 not acknowledged")
    expect(page.locator("[data-part=open-alarms]")).to_contain_text("1")

    elsewhere(lambda: alarm.acknowledge(Actor(bob, Source.API)))

    expect(page.locator(".alarm-banner")).to_have_count(0)
    expect(row.locator(".severity")).to_have_attribute("data-standing", "acknowledged")
    assert faults == []
