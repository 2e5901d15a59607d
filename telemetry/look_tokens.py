"""The look's colours, read out of the style sheet that pages use, and the contrast of what stands on what."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.contrib.staticfiles import finders

SHEET = "inqube/tokens.css"
TOKEN = re.compile(r"--([a-z0-9-]+): light-dark\(#([0-9A-F]{6}), #([0-9A-F]{6})\)")

TEXT, MARK = 4.5, 3.0  # WCAG 2.2 AA: 1.4.3 for text, 1.4.11 for controls and what has to be told apart


class Colour(NamedTuple):
    """Hexadecimal, without a #."""

    light: str
    dark: str


@cache
def tokens() -> dict[str, Colour]:
    """By name, in the style sheet's order."""
    found = finders.find(SHEET)
    assert isinstance(found, str), f"{SHEET} is not among the static files"
    return {name: Colour(light, dark) for name, light, dark in TOKEN.findall(Path(found).read_text())}


def luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


SEVERITY_TOKENS = ("crit", "high", "med", "low", "bad")

# What stands on what, and how far apart they have to be at least.
PAIRS: tuple[tuple[str, str, float], ...] = (
    *((ink, ground, TEXT) for ink in ("ink", "ink-2", "ink-3") for ground in ("surface", "bg", "raised", "select")),
    ("ink-3", "hatch-ink", TEXT),
    ("on-inverse", "inverse", TEXT),
    ("on-inverse-2", "inverse", TEXT),
    ("line-2", "surface", MARK),
    ("line-2", "bg", MARK),
    ("run", "surface", MARK),
    ("spark", "surface", MARK),
    ("focus", "surface", MARK),
    ("focus", "bg", MARK),
    *((f"series-{number}", "surface", TEXT) for number in range(2, 9)),
    *((f"{name}-letter", name, TEXT) for name in SEVERITY_TOKENS),
    *((f"{name}-ink", "surface", TEXT) for name in SEVERITY_TOKENS),
    *((f"{name}-ink", f"{name}-tint", TEXT) for name in SEVERITY_TOKENS),
    *(("med-edge" if name == "med" else name, "surface", MARK) for name in SEVERITY_TOKENS),
)


@dataclass(frozen=True, slots=True)
class Pair:
    fore: str
    ground: str
    least: float
    light: float
    dark: float


def pairs() -> list[Pair]:
    known = tokens()
    return [
        Pair(
            fore,
            ground,
            least,
            contrast(known[fore].light, known[ground].light),
            contrast(known[fore].dark, known[ground].dark),
        )
        for fore, ground, least in PAIRS
    ]
