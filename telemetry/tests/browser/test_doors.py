"""The doors in a browser: the sign-in page, the browsable API, the admin, all under the content security policy."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from plants.models import Plant

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


@pytest.fixture
def people(alice: User, bob: User, vera: User) -> None:
    """Made before the browser is: afterwards nothing may touch the database."""


@pytest.fixture
def visitor(people: None, stranger: Page) -> Page:
    return stranger


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.fill("[name=username]", email)
    page.fill("[name=password]", password)
    page.click("button.primary")


def test_it_writes_through_the_browsable_api_after_signing_in(visitor: Page, kandy: Plant, faults: list[str]) -> None:
    visitor.goto(f"/login/?next=/api/v1/plants/{kandy.pk}/")
    sign_in(visitor, "alice@example.org")
    expect(visitor).to_have_title(re.compile("InQube API"))

    visitor.click("text=HTML form")
    visitor.fill("[name=name]", "Kandy by hand")
    visitor.click("#put-object-form button")

    expect(visitor.locator(".response-info")).to_contain_text("HTTP 200 OK")
    visitor.goto(f"/api/v1/plants/{kandy.pk}/")
    expect(visitor.locator(".response-info")).to_contain_text("Kandy by hand")
    assert faults == []


def test_it_filters_lists_of_the_browsable_api(visitor: Page, faults: list[str]) -> None:
    visitor.goto("/login/?next=/api/v1/sensors/")
    sign_in(visitor, "bob@example.org")
    visitor.wait_for_load_state()  # until then nobody listens to the button
    visitor.click("[data-target='#filtersModal']")
    visitor.fill("#filtersModal [name=search]", "rpm")
    visitor.click("#filtersModal form.form-inline button")
    expect(visitor.locator(".response-info")).to_contain_text('"count": 1')
    assert faults == []


def test_it_opens_the_admin_through_the_same_page(visitor: Page, faults: list[str]) -> None:
    visitor.goto("/admin/plants/sensor/")
    expect(visitor.locator("h1")).to_have_text("Sign in")
    sign_in(visitor, "bob@example.org")
    expect(visitor).to_have_url(re.compile("/admin/plants/sensor/$"))
    visitor.click("#result_list tbody th a >> nth=0")
    expect(visitor.locator("#sensor_form")).to_be_visible()
    assert [fault for fault in faults if "Content Security Policy" in fault] == []


def test_it_counts_a_lock_down_and_opens_by_itself(visitor: Page, faults: list[str]) -> None:
    visitor.clock.install()
    visitor.goto("/login/")
    for _ in range(5):
        sign_in(visitor, "vera@example.org", "wrong")
    alert = visitor.locator("[data-lock]")
    expect(alert).to_contain_text("Sign-in is locked for 14\u202fmin")
    expect(visitor.locator("[name=password]")).to_be_disabled()
    visitor.clock.run_for("14:00")
    expect(alert).to_contain_text(re.compile("for ([0-9]+\u202fs|1\u202fmin)"))
    visitor.clock.run_for("01:30")
    expect(alert).to_have_count(0)
    expect(visitor.locator("[name=password]")).to_be_enabled()
    assert [fault for fault in faults if "429" not in fault] == []
