"""Every page with little room, and for people whom motion disturbs."""

import pytest

from inqube.tests.pages.conftest import Visitor
from inqube.tests.pages.visits import OURS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

# 1280 px at a zoom of 200 and of 400 %, which is what WCAG's reflow asks for; a rail, a desk, a control room.
WIDTHS = (320, 640, 900, 1440, 2560)
MOVING = """() => [...document.querySelectorAll("*")].filter((each) => {
    const style = getComputedStyle(each);
    return style.animationName !== "none" || style.transitionDuration.split(", ").some((time) => time !== "0s");
}).map((each) => each.outerHTML.slice(0, 80))"""


def test_it_never_scrolls_sideways(visitor: Visitor) -> None:
    found = []
    for visit in OURS:
        page = visitor.open(visit)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            needed = page.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                found.append(f"{visit}: {needed} px at {width}")
    assert found == []


def test_it_stands_still_for_those_who_want_it(visitor: Visitor) -> None:
    found = []
    for visit in OURS:
        page = visitor.open(visit, reduced_motion="reduce")
        found += [f"{visit}: {html}" for html in page.evaluate(MOVING)]
    assert found == []
