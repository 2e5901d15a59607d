"""The geometry of a chart drawn without a script: means of buckets as a line, in a band from least to greatest."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

WIDTH, HEIGHT = 1000, 160  # of the box, which the page stretches
GAP_STEPS = 2.5  # as many steps without a point are a gap
GAP_INTERVALS = 3  # of the sensor's own, which may be longer than a step

Point = tuple[float, float, float, float]  # time, least, mean, greatest


class Outline(NamedTuple):
    line: str  # SVG paths
    band: str
    low: float
    high: float


def outline(points: Sequence[Point], start: float, end: float, interval: float) -> Outline | None:
    """Points oldest first, times in one unit; a gap breaks the line. None where there are no points."""
    if not points:
        return None
    low, high = min(least for _, least, _, _ in points), max(greatest for *_, greatest in points)
    span = high - low or 1.0

    def place(time: float, value: float) -> str:
        x = WIDTH * min(1.0, max(0.0, (time - start) / (end - start)))
        return f"{x:.1f} {HEIGHT * (high - value) / span if high > low else HEIGHT / 2:.1f}"

    step = min((after[0] - before[0] for before, after in pairwise(points)), default=0.0)
    allowed = max(GAP_STEPS * step, GAP_INTERVALS * interval)
    stretches: list[list[Point]] = [[points[0]]]
    for before, after in pairwise(points):
        if after[0] - before[0] > allowed:
            stretches.append([])
        stretches[-1].append(after)
    line = band = ""
    for stretch in stretches:
        line += "M" + "L".join(place(time, mean) for time, _, mean, _ in stretch)
        line += "h0" if len(stretch) == 1 else ""  # round caps make a dot of it
        edge = [place(time, greatest) for time, _, _, greatest in stretch]
        edge += [place(time, least) for time, least, _, _ in reversed(stretch)]
        band += "M" + "L".join(edge) + "Z"
    return Outline(line, band, low, high)
