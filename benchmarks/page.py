"""What the first view of a page costs: bytes over the wire, requests, and how long until it is live.

    python -m benchmarks.page [--path /plants/kandy/] [--rounds 5] [--json FILE]

Asked with Chromium of a daphne of its own with collected static files, on the demo factory with a day of history;
each round has a browser profile of its own, so nothing is cached. Bytes are what the browser says it received,
headers included. Interactive is when the scripts have run and the feed's first snapshot is shown. Aim: under
100 kB, and interactive in under a second.
"""

import argparse
import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from inqube.demo.screenshots import FLAGS, installed_chromium, sign_in
from inqube.demo.still import StillFactory, still_factory

AIM_BYTES = 100_000
AIM_MS = 1000


@dataclass(frozen=True, slots=True)
class Load:
    bytes: int
    requests: int
    loaded_ms: float  # DOMContentLoaded: modules have run
    live_ms: float


def main() -> None:
    options = arguments()
    with still_factory() as factory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_chromium(), args=FLAGS)
        loads = [load(browser, factory, options.path) for _ in range(options.rounds + 1)][1:]  # the first warms up
        browser.close()
    size, requests = max(each.bytes for each in loads), loads[0].requests
    loaded, live = (statistics.median(times) for times in zip(*((e.loaded_ms, e.live_ms) for e in loads), strict=True))
    print(f"{options.path}, first view, median of {len(loads)}")
    print(f"{'over the wire':<24}{size / 1000:>9.1f} kB   aim {'met' if size < AIM_BYTES else 'missed'}")
    print(f"{'requests':<24}{requests:>9}")
    print(f"{'DOMContentLoaded':<24}{loaded:>9.0f} ms")
    print(f"{'live':<24}{live:>9.0f} ms   aim {'met' if live < AIM_MS else 'missed'}")
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in loads], indent=2))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--path", default="/plants/kandy/", help="of the page (/plants/kandy/, the demo's biggest plant)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="cold loads (5)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser.parse_args()


def load(browser: Browser, factory: StillFactory, path: str) -> Load:
    """One view by a browser that has signed in and has nothing in its cache."""
    context = browser.new_context(base_url=factory.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sign_in(page, factory)
    page.goto("about:blank")
    protocol = context.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.send("Network.clearBrowserCache")
    received: list[int] = []
    protocol.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(path, wait_until="commit")
    page.wait_for_selector("html[data-feed=live]")
    live = page.evaluate("performance.now()")
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    context.close()
    return Load(sum(received), len(received), loaded, live)


if __name__ == "__main__":
    main()
