"""The machine page's timeline in a real browser: its hours can be read, and what it shows is said."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from plants.models import Plant, Sensor
from telemetry.tests.conftest import Store
from telemetry.tests.samples import mark_rollups

pytestmark = pytest.mark.browser

BOXES = """[...document.querySelectorAll("[data-hours] text")].map((each) => {
    const { left, right } = each.getBoundingClientRect();
    return [left, right];
})"""


@pytest.fixture
def fault(kandy: Plant, store: Store) -> None:
    """The machine ran for half an hour, and has been in fault for half a minute."""
    now = timezone.now()
    store(Sensor.objects.get(slug="state"), [(now - timedelta(minutes=34), 1), (now - timedelta(seconds=40), 3)])
    mark_rollups()


def test_it_says_what_the_machine_did_and_when_at_any_width(fault: None, page: Page, faults: list[str]) -> None:
    page.goto("/plants/kandy/rolling/roller-2/")

    expect(page.locator(".timeline-bar")).to_have_attribute(
        "aria-label", re.compile(r"^Last 8 hours: Fault \d+.s, No readings .* Fault from \d\d:\d\d to \d\d:\d\d\.$")
    )
    for width in (320, 390, 700, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(100)  # for the labels to follow
        boxes = sorted(page.evaluate(BOXES))
        assert len(boxes) >= 4, width
        assert all(one[1] < two[0] for one, two in pairwise(boxes)), (width, boxes)
    assert faults == []
