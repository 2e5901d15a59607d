"""`python -m inqube.demo.screenshots`: a picture of each page, in light and dark, wide and narrow.

The factory stands still at one moment, so that what changes in the pictures is what has changed in the pages.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from inqube.demo.chromium import chromium
from inqube.demo.still import ROOT, StillFactory, still_factory

TO = ROOT / "docs" / "screenshots"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"]
SIZES = {"wide": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
TRIES = 5
LIVE_WITHIN_MS = 8_000  # before the page says offline for want of frames
DRAWN_AFTER_MS = 500


class View(NamedTuple):
    name: str
    path: str
    who: str = "operator"  # nobody if empty


VIEWS = (
    View("login", "/login/", who=""),
    View("overview", "/"),
    View("plant", "/plants/kandy/"),
    View("machine", "/plants/kandy/rolling/roller-2/"),
    View(
        "trend",
        "/trend/?sensor=kandy/rolling/roller-2/motor-current&sensor=kandy/rolling/roller-2/bearing-temp&range=8h",
    ),
    View("alarms", "/alarms/"),
    View("dead-letters", "/dead-letters/"),
    View("discovered-sensors", "/discovered-sensors/"),
    View("system", "/system/", who="admin"),
    View("design", "/design/"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=TO, help="directory of the pictures (docs/screenshots)")
    parser.add_argument("--only", choices=[view.name for view in VIEWS], nargs="*", help="these pages alone")
    options = parser.parse_args()
    views = [view for view in VIEWS if not options.only or view.name in options.only]
    with still_factory() as factory:
        taken = take(factory, views, options.to)
    size = sum(path.stat().st_size for path in taken)
    print(f"{len(taken)} pictures in {options.to}, {size / 1e6:.1f} MB")  # noqa: T201


def take(factory: StillFactory, views: Sequence[View], to: Path) -> list[Path]:
    """`NAME-SIZE-THEME.png` of each."""
    to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_chromium(), args=FLAGS)
        taken = [
            picture(browser, factory, view, size, theme, to) for size in SIZES for theme in THEMES for view in views
        ]
        browser.close()
    return taken


def installed_chromium() -> str:
    found = chromium()
    if found is None:
        raise SystemExit("Chromium is not installed.")
    return found


def picture(browser: Browser, factory: StillFactory, view: View, size: str, theme: str, to: Path) -> Path:
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=factory.url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    if view.who:
        sign_in(page, factory, view.who)
    open_page(page, view.path)
    path = to / f"{view.name}-{size}-{theme}.png"
    page.screenshot(path=path)
    context.close()
    return path


def sign_in(page: Page, factory: StillFactory, who: str = "operator") -> None:
    page.goto("/login/")
    page.fill("[name=username]", factory.email(who))
    page.fill("[name=password]", factory.password)
    page.click("button.primary")
    page.wait_for_load_state()


def open_page(page: Page, path: str) -> None:
    """Shown in full; live where it can be, which in a factory that stands still it is for ten seconds."""
    for _ in range(TRIES):
        page.goto(path, wait_until="load")
        if not page.locator("#live").count():  # what a live page follows
            page.wait_for_load_state("networkidle")
            return
        try:
            page.wait_for_selector("html[data-feed=live]", timeout=LIVE_WITHIN_MS)
            page.wait_for_load_state("networkidle", timeout=LIVE_WITHIN_MS)  # a chart asks for its points last
        except TimeoutError:
            continue
        page.wait_for_timeout(DRAWN_AFTER_MS)
        if page.locator("html[data-feed=live]").count():
            return
    raise SystemExit(f"{path} did not get live.")


if __name__ == "__main__":
    main()
