"""The admin under the content security policy, in the dark, and on a phone."""

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User
from plants.models import Plant
from plants.models.devices import Device
from telemetry.tests.web_server import WebServer

pytestmark = pytest.mark.browser

BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture
def paths(client: Client, alice: User, kandy: Plant) -> list[str]:
    client.force_login(alice)
    device = Device(plant=kandy, name="gateway")
    device.issue_secret()
    device.save()
    return [
        "/admin/",
        f"/admin/plants/plant/{kandy.pk}/history/",
        f"/admin/accounts/user/{alice.pk}/change/",
        f"/admin/plants/device/{device.pk}/change/",
    ]


@pytest.fixture
def admin(paths: list[str], client: Client, web: WebServer, stranger: Page) -> Page:
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    stranger.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": web.url}])
    return stranger


def test_it_turns_dark_and_light_again(admin: Page, faults: list[str]) -> None:
    admin.emulate_media(color_scheme="light")
    admin.goto("/admin/")
    light = admin.evaluate(BACKGROUND)
    admin.click(".theme-toggle")  # the first step away from what the system wants is its opposite
    admin.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert admin.evaluate(BACKGROUND) != light
    assert faults == []


def test_it_follows_the_systems_dark_mode(admin: Page, faults: list[str]) -> None:
    admin.emulate_media(color_scheme="dark")
    admin.goto("/admin/")
    dark = admin.evaluate(BACKGROUND)
    admin.emulate_media(color_scheme="light")
    assert admin.evaluate(BACKGROUND) != dark
    assert faults == []


def test_it_fits_a_phone(admin: Page, paths: list[str], faults: list[str]) -> None:
    admin.set_viewport_size({"width": 360, "height": 740})
    for path in paths:
        admin.goto(path)
        assert admin.evaluate("document.documentElement.scrollWidth") <= 360, path
    assert faults == []


def test_it_gives_a_device_a_new_secret_from_its_page(admin: Page, paths: list[str], faults: list[str]) -> None:
    admin.goto(paths[-1])
    admin.click("text=New secret")
    admin.wait_for_selector("text=Give new secrets: are you sure?")
    admin.click("input[value='Give new secrets']")
    admin.wait_for_selector("text=User name kandy/gateway.2, and its secret, shown this once:")
    assert faults == []
