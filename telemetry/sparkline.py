"""The geometry of a sparkline: one hour on 40 × 14 pixels; `inqube/static/inqube/sparkline.js` draws the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from telemetry.queries.sparklines import BUCKET, SPAN

LEFT, RIGHT, TOP, BOTTOM = 1.0, 37.5, 2.5, 11.5  # the box 40 × 14, less the room for the last dot
LEAST_SPAN = 0.1  # of the plausible range: noise of a steady value must not look like a wave
LEAST_GAP = BUCKET * 2.5  # an interval without a bucket between is a gap, unless the sensor reports rarely


class Sparkline(NamedTuple):
    line: str  # an SVG path
    last: tuple[float, float] | None  # where the line ends


def sparkline(
    points: Sequence[tuple[datetime, float]],
    now: datetime,
    *,
    low: float | None,
    high: float | None,
    interval_s: float | None,
) -> Sparkline:
    """Points oldest first; those older than an hour are left out, a gap breaks the line."""
    start = now - SPAN
    visible = [(time, value) for time, value in points if time >= start]
    if not visible:
        return Sparkline("", None)
    values = [value for _, value in visible]
    middle = (max(values) + min(values)) / 2
    plausible = high - low if low is not None and high is not None else 0.0
    span = max(max(values) - min(values), LEAST_SPAN * plausible) or 1.0
    gap = max(LEAST_GAP, timedelta(seconds=3 * (interval_s or 0)))
    line: list[str] = []
    x = y = 0.0
    previous = None
    for time, value in visible:
        x = LEFT + (RIGHT - LEFT) * min(1.0, (time - start) / SPAN)
        y = (TOP + BOTTOM) / 2 - (BOTTOM - TOP) * (value - middle) / span
        move = previous is None or time - previous > gap
        line.append(f"{'M' if move else 'L'}{x:.1f} {y:.1f}")
        previous = time
    return Sparkline("".join(line), (round(x, 1), round(y, 1)))
