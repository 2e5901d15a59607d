"""Every page by keyboard alone."""

import pytest
from playwright.sync_api import Page

from inqube.tests.pages.conftest import Visitor
from inqube.tests.pages.visits import OURS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

# Marks each control that a person can reach; a radio button stands for its group.
CONTROLS = """() => {
    const able = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
    const seen = [...document.querySelectorAll(able)].filter((each) =>
        each.checkVisibility({visibilityProperty: true}) && !each.disabled && !each.closest("[inert]"));
    seen.filter((each) => each.type !== "radio" || each.checked)
        .forEach((each, index) => each.dataset.testControl = index);
    return document.querySelectorAll("[data-test-control]").length;
}"""

# The control in focus, and whether it or what stands for it has an outline.
FOCUSED = """() => {
    const at = document.activeElement;
    if (at === document.body) return null;
    const outlined = (each) => getComputedStyle(each).outlineStyle !== "none";
    const shown = outlined(at) || (at.closest("li, label") && outlined(at.closest("li, label")));
    return [at.dataset.testControl ?? "", shown, at.className, (at.textContent || at.name).trim().slice(0, 40)];
}"""


def walk(page: Page) -> list[tuple[str, bool, str, str]]:
    """What Tab leads to, from the beginning of the page until it leaves it or comes back."""
    page.evaluate("document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')")
    controls = page.evaluate(CONTROLS)
    steps: list[tuple[str, bool, str, str]] = []
    for _ in range(controls + 5):
        page.keyboard.press("Tab")
        step = page.evaluate(FOCUSED)
        if step is None or (steps and step[0] == steps[0][0]):
            break
        steps.append(step)
    return steps


def test_it_leads_to_every_control_and_shows_where_it_is(visitor: Visitor) -> None:
    found = []
    for visit in {visit.route: visit for visit in reversed(OURS)}.values():  # the first of each page
        page = visitor.open(visit)
        steps = walk(page)
        if visit.who and visit.status == 200 and (not steps or "skip" not in steps[0][2]):
            found.append(f"{visit}: the first is not the link to the content")
        found += [f"{visit}: no outline at {name}" for _, shown, _, name in steps if not shown]
        reached = {index for index, *_ in steps}
        names = page.evaluate(
            "[...document.querySelectorAll('[data-test-control]')].map(e => [e.dataset.testControl, e.outerHTML])"
        )
        found += [f"{visit}: Tab does not reach {html[:90]}" for index, html in names if index not in reached]
    assert not found, "\n".join(found)


def test_it_skips_to_the_content(visitor: Visitor) -> None:
    page = visitor.open(next(visit for visit in OURS if visit.name == "plant"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_it_closes_a_dialog_by_escape(visitor: Visitor) -> None:
    page = visitor.open(next(visit for visit in OURS if visit.name == "dialog"))
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    page.keyboard.press("Escape")
    assert not page.is_visible("dialog")
    assert page.evaluate("document.activeElement.matches('[data-opens]')")


def test_it_acknowledges_by_keys(visitor: Visitor) -> None:
    """On the examples of the design page, which nobody acknowledges."""
    page = visitor.open(next(visit for visit in OURS if visit.name == "design"))
    page.evaluate("document.querySelector('[data-key=a]').addEventListener('click', () => document.title = 'done')")
    page.locator("h1").click()
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    assert page.inner_text(".bulk [data-selected-text]") == "2 selected"
    page.keyboard.press("a")
    assert page.title() == "done"
    page.keyboard.press("Escape")
    assert page.inner_text(".bulk [data-selected-text]") == "None selected"
