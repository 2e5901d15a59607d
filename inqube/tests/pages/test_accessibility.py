"""Every page, light and dark, wide and narrow, by the rules of axe-core; and nothing goes wrong in it.

Once a page is open all is asked of it: with little room it scrolls no other way than down, and for people whom motion
disturbs it stands still.
"""

from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Page

from inqube.tests.access.matrix import ROUTES
from inqube.tests.pages.conftest import Findings, Visitor
from inqube.tests.pages.visits import NO_PAGES, VISITS, Visit, unvisited

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

AT_ONCE = 20


def groups(name: str, visits: Sequence[Visit]) -> dict[str, Sequence[Visit]]:
    """So many at a time that each test ends in good time."""
    starts = range(0, len(visits), AT_ONCE)
    return {f"{name} {number}": visits[start : start + AT_ONCE] for number, start in enumerate(starts, 1)}


GROUPS = groups("console", [visit for visit in VISITS if visit.is_ours]) | groups(
    "admin", [visit for visit in VISITS if not visit.is_ours]
)


# 1280 px at a zoom of 200 and of 400 %, which is what WCAG's reflow asks for; a rail, a desk, a control room.
WIDTHS = (320, 640, 900, 1440, 2560)
MOVING = """() => [...document.querySelectorAll("*")].filter((each) => {
    const style = getComputedStyle(each);
    return style.animationName !== "none" || style.transitionDuration.split(", ").some((time) => time !== "0s");
}).map((each) => each.outerHTML.slice(0, 80))"""


OF_ROOM = ("color-contrast", "target-size", "scrollable-region-focusable", "aria-hidden-focus")  # may change with it


def too_wide(page: Page) -> Iterator[str]:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            yield f"{needed} px at {width}"


def moving(page: Page) -> Iterator[str]:
    for html in page.evaluate(MOVING):
        yield f"moves: {html}"


def test_it_visits_every_page() -> None:
    assert unvisited() == set()


def test_it_speaks_of_no_page_that_is_gone() -> None:
    assert {visit.route for visit in VISITS} | NO_PAGES <= set(ROUTES)


@pytest.mark.parametrize("visits", GROUPS.values(), ids=GROUPS)
def test_it_can_be_used_by_everybody(visitor: Visitor, findings: Findings, visits: Sequence[Visit]) -> None:
    """Without transitions: a colour on its way from light to dark is neither. The admin's room is Django's.

    Colours are the same with much room and with little: so the light ones are looked at wide, the dark ones narrow.
    """
    found = []
    for visit in visits:
        page = visitor.open(visit, color_scheme="light", reduced_motion="reduce")
        found += [f"{visit}, light, wide: {each}" for each in findings(page)]
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        page.set_viewport_size({"width": 390, "height": 844})
        found += [f"{visit}, dark, narrow: {each}" for each in findings(page, *OF_ROOM)]
        if visit.is_ours:
            found += [f"{visit}: {each}" for each in (*too_wide(page), *moving(page))]
        found += [f"{visit}: {fault}" for fault in visitor.faults]
    assert not found, "\n".join(found)
