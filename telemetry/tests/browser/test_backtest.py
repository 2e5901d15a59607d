"""From a rule's form in the admin to its backtest: in another tab, with what was not saved, and on with the advice."""

from datetime import timedelta
from random import Random

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now
from playwright.sync_api import Page

from accounts.models import User
from alarms.models import Rule
from plants.models import Plant, Sensor
from telemetry.tests.samples import TEMP, store_series
from telemetry.tests.web_server import WebServer

pytestmark = pytest.mark.browser


@pytest.fixture
def rule(kandy: Plant) -> Rule:
    """An hour of noise that slowly goes beyond 80 and comes back."""
    chance, start = Random(7), now() - timedelta(hours=2)
    bumps = (max(0.0, 13 - abs(second - 1_800) / 40) for second in range(3_600))
    values = [(start + timedelta(seconds=i), 70 + bump + chance.gauss(0, 0.5)) for i, bump in enumerate(bumps)]
    sensor = store_series(TEMP, values)
    Sensor.objects.filter(pk=sensor.pk).update(decimals=1)
    return Rule.objects.create(plant=kandy, sensor=sensor, kind="high", setpoint=95, severity="high")


@pytest.fixture
def session_of_bob(rule: Rule, bob: User, client: Client) -> str:
    client.force_login(bob)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def operator(session_of_bob: str, web: WebServer, stranger: Page) -> Page:
    stranger.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of_bob, "url": web.url}])
    return stranger


def test_it_tries_what_the_form_says_and_then_the_advice(rule: Rule, operator: Page, faults: list[str]) -> None:
    operator.goto(f"/admin/alarms/rule/{rule.pk}/change/")
    operator.fill("[name=setpoint]", "80")
    with operator.expect_popup() as opened:
        operator.click("text=Backtest")
    page = opened.value
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    chattering = "dl.backtest > div:nth-child(2) b"
    assert page.inner_text(chattering) != "0"
    page.click(".advice button")
    page.wait_for_selector("text=Nothing chatters")
    assert page.inner_text(chattering) == "0"
    page.click("text=30 d")
    page.wait_for_selector("[aria-current=true] >> text=30 d")
    assert float(page.input_value("[name=deadband]")) > 0
    assert faults == []
