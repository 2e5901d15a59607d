"""The demo factory as it stands still: what its first page view weighs, and that pictures of it can be taken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from benchmarks.page import AIM_BYTES, load
from inqube.demo.screenshots import VIEWS, picture
from inqube.demo.still import StillFactory, still_factory

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]  # the first test waits until the factory is made


@pytest.fixture(scope="module")
def factory() -> Iterator[StillFactory]:
    with still_factory(hours=1.5) as factory:
        yield factory


def test_it_weighs_less_than_100_kb_when_the_biggest_plant_is_first_opened(
    factory: StillFactory, browser: Browser
) -> None:
    found = load(browser, factory, "/plants/kandy/")

    assert 10_000 < found.bytes < AIM_BYTES


def test_it_takes_pictures(factory: StillFactory, browser: Browser, tmp_path: Path) -> None:
    """Of a page for nobody, a live one, one with a chart, and one for admins."""
    for view in (view for view in VIEWS if view.name in ("login", "plant", "trend", "system")):
        taken = picture(browser, factory, view, "phone", "dark", tmp_path)
        assert taken.read_bytes().startswith(b"\x89PNG")
