"""Every page, light and dark, wide and narrow, by the rules of axe-core; and nothing goes wrong in it."""

import pytest

from inqube.tests.access.matrix import ROUTES
from inqube.tests.pages.conftest import Findings, Visitor
from inqube.tests.pages.visits import NO_PAGES, VISITS, Visit, unvisited

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

GROUPS = {"console": [visit for visit in VISITS if visit.is_ours]} | {
    "admin": [visit for visit in VISITS if not visit.is_ours]
}


def test_it_visits_every_page() -> None:
    assert unvisited() == set()


def test_it_speaks_of_no_page_that_is_gone() -> None:
    assert {visit.route for visit in VISITS} | NO_PAGES <= set(ROUTES)


@pytest.mark.parametrize("visits", GROUPS.values(), ids=GROUPS)
def test_it_can_be_used_by_everybody(visitor: Visitor, findings: Findings, visits: list[Visit]) -> None:
    """Without transitions: a colour on its way from light to dark is neither."""
    found = []
    for visit in visits:
        page = visitor.open(visit, color_scheme="light", reduced_motion="reduce")
        found += [f"{visit}, light, wide: {each}" for each in findings(page)]
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        found += [f"{visit}, dark, wide: {each}" for each in findings(page, "color-contrast")]
        page.set_viewport_size({"width": 390, "height": 844})
        found += [f"{visit}, dark, narrow: {each}" for each in findings(page)]
        found += [f"{visit}: {fault}" for fault in visitor.faults]
    assert not found, "\n".join(found)
