"""Where this machine's Chromium is."""

import shutil

# The first has no windows to draw, and opens a page in a third of the time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
