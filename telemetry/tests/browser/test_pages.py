"""What pages do in a browser beside being live."""

import pytest
from playwright.sync_api import Page, expect

from plants.models import Plant
from telemetry.formats import format_age, format_number

pytestmark = pytest.mark.browser


def test_it_shows_and_hides_the_password(stranger: Page, faults: list[str]) -> None:
    stranger.goto("/login/")
    stranger.fill("[name=password]", "secret")

    stranger.click("text=Show")
    expect(stranger.locator("[name=password]")).to_have_attribute("type", "text")
    stranger.click("text=Hide")
    expect(stranger.locator("[name=password]")).to_have_attribute("type", "password")
    assert faults == []


def test_it_remembers_the_theme(page: Page, faults: list[str]) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)

    page.click("[data-theme-switch] >> nth=0")
    dark = page.evaluate(background)
    page.reload()

    assert page.evaluate(background) == dark != light
    assert faults == []


def test_it_keeps_the_filter_in_the_url(page: Page, kandy: Plant, faults: list[str]) -> None:
    page.goto("/plants/kandy/")
    page.keyboard.press("/")
    page.keyboard.type("dryer")

    expect(page.locator(".machine")).to_be_hidden()
    expect(page.locator("[data-no-match]")).to_be_visible()
    assert page.url.endswith("/plants/kandy/?q=dryer")
    page.reload()
    expect(page.locator(".machine")).to_be_hidden()
    page.click("text=Clear the filter")
    expect(page.locator(".machine")).to_be_visible()
    assert page.url.endswith("/plants/kandy/")
    assert faults == []


def test_it_never_scrolls_sideways(page: Page, kandy: Plant, faults: list[str]) -> None:
    for path in ("/", "/plants/kandy/"):
        page.goto(path)
        for width in (320, 390, 900, 1440, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    assert faults == []


NUMBERS = [(68.25, 1), (-38.0, 0), (1284.0, 0), (-1234567.891, 2), (-0.04, 1), (2.5, 0), (1.005, 2), (1e15, 1)]
AGES = [-3, 2.9, 59.9, 60, 899, 3600, 4440, 86399, 86400, 302400]
FORMAT = """async ([numbers, ages]) => {
    const format = await import("/static/inqube/format.js");
    return [
        numbers.map((each) => format.formatNumber(...each)),
        ages.map((each) => format.formatAge(1000 * each)),
    ];
}"""


def test_it_formats_in_the_browser_as_on_the_server(page: Page) -> None:
    page.goto("/")

    said = page.evaluate(FORMAT, [NUMBERS, AGES])

    assert said == [[format_number(*each) for each in NUMBERS], [format_age(each) for each in AGES]]
