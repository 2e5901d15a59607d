"""Tiles in a real browser: no number is cut, and each kind of sensor shows of its past what makes sense."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from plants.models import Plant, Sensor
from telemetry.tests.browser.conftest import Publish
from telemetry.tests.conftest import Store

pytestmark = pytest.mark.browser

ROOM = """element => {
    const tile = element.closest(".tile").getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(element);
    const { left, right } = range.getBoundingClientRect();
    return [tile.left, left, right, tile.right];
}"""
PAGE = "/plants/kandy/rolling/roller-2/"


@pytest.fixture
def energy(kandy: Plant, store: Store) -> Sensor:
    """A counter that gained 12.5 within half an hour."""
    sensor = Sensor.objects.get(slug="rpm")
    Sensor.objects.filter(slug="rpm").update(kind="counter", unit="kWh", decimals=1)
    sensor.refresh_from_db()
    now = timezone.now()
    store(sensor, [(now - timedelta(minutes=each), 540_070.1 - each * 12.5 / 30) for each in (30, 15, 0)])
    return sensor


@pytest.fixture
def heavy(kandy: Plant, store: Store) -> Sensor:
    """A gauge whose number is wider than a tile."""
    sensor = Sensor.objects.get(slug="temp")
    now = timezone.now()
    store(sensor, [(now - timedelta(minutes=each), 123_456_789_012.34) for each in (30, 0)])
    return sensor


def test_it_never_cuts_a_number(energy: Sensor, heavy: Sensor, page: Page, faults: list[str]) -> None:
    page.goto(PAGE)
    for width in (320, 390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        for sensor in (energy, heavy):
            value = page.locator(f'.tile[data-sensor="{sensor.number}"] .value')
            expect(value).to_have_css("overflow", "visible")
            edges = value.evaluate(ROOM)
            assert edges == sorted(edges), (width, sensor.slug, edges)
    assert faults == []


def test_it_goes_on_telling_what_a_counter_gained(
    energy: Sensor, kandy: Plant, page: Page, publish: Publish, faults: list[str]
) -> None:
    said = page.locator(f'.tile[data-sensor="{energy.number}"] .range-none')
    page.goto(PAGE)
    expect(page.locator("[data-pill-word]")).to_have_text("Live")
    rendered = said.text_content()
    assert rendered is not None
    assert rendered.startswith("+12.5\u202fkWh since ")

    publish(kandy, energy.number, timezone.now().timestamp(), 540_071.1)

    expect(said).to_have_text(rendered.replace("12.5", "13.5"))
    assert faults == []
