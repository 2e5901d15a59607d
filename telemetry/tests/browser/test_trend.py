"""The trend's chart in a real browser: what it asks for, what it draws, and how it goes on."""

import re
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from alarms.models import Alarm, Rule
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor
from telemetry.tests.browser.conftest import Publish
from telemetry.tests.conftest import Store
from telemetry.tests.samples import mark_rollups

pytestmark = pytest.mark.browser

TEMP = "kandy/rolling/roller-2/temp"
CHART = "[data-panels] .u-over"


@pytest.fixture
def temp(kandy: Plant, store: Store) -> Sensor:
    """Five hours of a reading a minute, but none for half an hour, two hours ago."""
    sensor = Sensor.objects.get(slug="temp")
    Sensor.objects.filter(pk=sensor.pk).update(expected_interval_s=60, stale_after_s=300)
    now = timezone.now()
    minutes = [minute for minute in range(300) if not 120 <= minute < 150]
    store(sensor, [(now - timedelta(minutes=minute), 20 + minute % 7) for minute in minutes])
    mark_rollups()
    return sensor


def questions(page: Page) -> list[str]:
    """Collects what the page asks the API."""
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url) if "/telemetry/history" in each.url else None)
    return asked


def drag(page: Page, first: float, last: float) -> None:
    """From one part of the chart's width to another."""
    box = page.locator(CHART).first.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * first, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * last, y, steps=5)
    page.mouse.up()


def drawn(page: Page) -> None:
    expect(page.locator("[data-coverage]")).not_to_have_text("")
    expect(page.locator(CHART).first).to_be_visible()


def test_it_draws_what_the_api_says(temp: Sensor, page: Page, faults: list[str]) -> None:
    page.goto(f"/trend/?sensor={TEMP}&range=8h")
    drawn(page)

    expect(page.locator("[data-coverage]")).to_have_text("Single readings, 270")
    row = page.locator(f'[data-legend="{temp.number}"]')
    expect(row.locator("[data-min]")).to_have_text("20.0")
    expect(row.locator("[data-max]")).to_have_text("26.0")
    expect(row.locator("[data-count]")).to_have_text("270")
    expect(page.locator(".gutter-label b")).to_have_text("20.0")
    expect(page.locator("[data-says]")).to_contain_text("Temperature: 20.0 to 26.0 °C")
    assert faults == []


@pytest.fixture
def high(temp: Sensor, kandy: Plant) -> Rule:
    return Rule.objects.create(plant=kandy, sensor=temp, kind="high", setpoint=24, severity="high")


@pytest.fixture
def alarm(temp: Sensor) -> Alarm:
    return make_alarm(temp, raised_at=timezone.now() - timedelta(hours=1), cleared_at=timezone.now(), state="cleared")


def test_it_shows_the_alarms_of_the_range(alarm: Alarm, page: Page, faults: list[str]) -> None:
    page.goto(f"/trend/?sensor={TEMP}&range=1h")
    drawn(page)
    rows = page.locator("[data-trend-alarms] tbody tr")
    expect(rows).to_have_count(1)
    for _ in range(3):
        page.locator('[data-act="earlier"]').click()
    expect(rows).to_have_count(0)
    assert faults == []


def test_it_says_the_limits_of_rules(high: Rule, page: Page, faults: list[str]) -> None:
    page.goto(f"/trend/?sensor={TEMP}&range=8h")
    drawn(page)

    expect(page.locator("[data-says]")).to_contain_text("limit: high, over 24")
    assert faults == []


def test_it_asks_anew_for_what_is_zoomed_into_and_goes_back(temp: Sensor, page: Page, faults: list[str]) -> None:
    asked = questions(page)
    page.goto(f"/trend/?sensor={TEMP}&range=7d")
    drawn(page)
    expect(page.locator("[data-coverage]")).to_contain_text("15-minute rollup")

    drag(page, 0.96, 0.999)

    page.wait_for_url(re.compile("from=.*&to="))
    expect(page.locator("[data-coverage]")).to_contain_text("Single readings")
    zoomed = page.url
    expect(page.locator("[data-act=follow]")).to_have_attribute("aria-pressed", "false")
    page.locator(CHART).first.dblclick()
    page.wait_for_url(re.compile("range=7d"))
    expect(page.locator("[data-coverage]")).to_contain_text("15-minute rollup")
    page.go_forward()
    expect(page.locator("[data-coverage]")).to_contain_text("Single readings")
    assert page.url == zoomed
    assert len({each.split("bucket=")[0] for each in asked}) >= 3
    assert faults == []


def test_it_pans_and_zooms_by_keys_and_says_it_in_the_url(temp: Sensor, page: Page, faults: list[str]) -> None:
    page.goto(f"/trend/?sensor={TEMP}&from=2026-11-24T06:00:00Z&to=2026-11-24T08:00:00Z")
    chart = page.locator("[data-chart]")
    chart.focus()

    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**from=2026-11-24T05:00:00Z&to=2026-11-24T07:00:00Z")
    page.keyboard.press("+")
    page.wait_for_url("**from=2026-11-24T05:30:00Z&to=2026-11-24T06:30:00Z")
    expect(page.locator("[data-nothing]")).to_contain_text("No readings from 24 Nov 11:00:00 +05:30")
    page.click("text=Go to the readings after")
    drawn(page)
    expect(page.locator("[data-nothing]")).to_be_hidden()
    for link in ("CSV", "API"):
        assert "start=2026-11-24" not in (
            page.locator(f"a:has-text('{link}')[data-program]").get_attribute("href") or ""
        )
    assert faults == []


PIXELS = """([from, to]) => {
    const canvas = document.querySelector("[data-panels] canvas");
    const over = document.querySelector("[data-panels] .u-over");
    const { left } = over.getBoundingClientRect();
    const x0 = left - canvas.getBoundingClientRect().left;
    const ratio = canvas.width / canvas.getBoundingClientRect().width;
    const x = Math.round((x0 + over.offsetWidth * from) * ratio);
    const width = Math.round(over.offsetWidth * (to - from) * ratio);
    const { data } = canvas.getContext("2d").getImageData(x, 0, width, (over.offsetTop + over.offsetHeight) * ratio);
    let dark = 0;
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] > 200 && data[at] + data[at + 1] + data[at + 2] < 100) dark += 1;
    }
    return dark;
}"""


def test_it_breaks_the_line_where_nothing_was_read(temp: Sensor, page: Page) -> None:
    page.emulate_media(color_scheme="light")
    end = timezone.now()
    start = end - timedelta(hours=4)
    page.goto(f"/trend/?sensor={TEMP}&from={start:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}")
    drawn(page)

    def at(ago: timedelta) -> float:
        return 1 - ago / timedelta(hours=4)

    # Beside the words in its middle, the gap has nothing as dark as the line.
    assert page.evaluate(PIXELS, [at(timedelta(minutes=147)), at(timedelta(minutes=140))]) == 0
    assert page.evaluate(PIXELS, [at(timedelta(minutes=100)), at(timedelta(minutes=93))]) > 20
    expect(page.locator("[data-says]")).to_contain_text("1 time without readings")


def test_it_goes_on_with_what_the_feed_says(
    temp: Sensor, kandy: Plant, page: Page, publish: Publish, faults: list[str]
) -> None:
    page.goto(f"/trend/?sensor={TEMP}&range=15m")
    expect(page.locator("[data-pill-word]")).to_have_text("Live")
    drawn(page)
    expect(page.locator("[data-act=follow]")).to_have_attribute("aria-pressed", "true")

    publish(kandy, temp.number, time.time(), 23.4)

    expect(page.locator("[data-now] .number")).to_have_text("23.4")
    expect(page.locator(f'[data-legend="{temp.number}"] [data-last]')).to_have_text("23.4")
    expect(page.locator(".gutter-label b")).to_have_text("23.4")
    page.click("[data-act=follow]")
    page.wait_for_url("**follow=0")
    publish(kandy, temp.number, time.time(), 24.5)
    expect(page.locator("[data-now] .number")).to_have_text("24.5")
    expect(page.locator(".gutter-label b")).not_to_have_text("24.5")
    assert faults == []


def test_it_has_a_panel_for_each_unit_and_never_scrolls_sideways(
    temp: Sensor, kandy: Plant, page: Page, faults: list[str]
) -> None:
    others = "&".join(f"sensor=kandy/rolling/roller-2/{each}" for each in ("rpm", "state"))
    page.goto(f"/trend/?sensor={TEMP}&{others}&range=24h")
    drawn(page)

    expect(page.locator(".trend-panel")).to_have_count(3)
    for width in (320, 390, 900, 1440, 2560):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(100)  # for the chart to follow
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
    assert faults == []


def test_it_takes_on_the_theme(temp: Sensor, page: Page, faults: list[str]) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"/trend/?sensor={TEMP}&range=1h")
    drawn(page)
    whole: list[float] = [0.1, 0.9]
    expect(page.locator(".gutter-label")).to_have_count(1)
    light = page.evaluate(PIXELS, whole)

    page.click("[data-theme-switch] >> nth=0")
    deadline = time.monotonic() + 5
    while page.evaluate(PIXELS, whole) and time.monotonic() < deadline:
        page.wait_for_timeout(50)

    assert page.evaluate(PIXELS, whole) == 0  # the line is light now
    assert light > 0
    assert faults == []


def test_it_shows_the_same_as_a_table(temp: Sensor, page: Page, faults: list[str]) -> None:
    page.goto(f"/trend/?sensor={TEMP}&range=8h")
    drawn(page)
    expect(page.locator("[data-tables]")).to_be_hidden()

    page.click("[data-views] >> text=Table")

    page.wait_for_url("**view=table")
    expect(page.locator("[data-tables]")).to_be_visible()
    expect(page.locator("[data-chart]")).to_be_hidden()
    page.click("[data-range='24h']")
    page.wait_for_url("**range=24h&view=table")
    page.go_back()
    page.go_back()
    expect(page.locator("[data-chart]")).to_be_visible()
    assert faults == []


def test_it_says_that_a_range_is_unknown_until_another_is_chosen(temp: Sensor, page: Page, faults: list[str]) -> None:
    page.goto(f"/trend/?sensor={TEMP}&range=forever")
    drawn(page)
    expect(page.locator("[data-wrong]")).to_contain_text("There is no range “forever”")

    page.click("[data-range='1h']")
    page.wait_for_url("**range=1h")
    expect(page.locator("[data-wrong]")).to_be_hidden()
    assert faults == []
