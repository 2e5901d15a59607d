"""Fewer points that look like all of them: largest triangles (LTTB), or the extremes of equal parts (min-max)."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Chosen = NDArray[np.intp]  # positions of the points that stay, ascending


def lttb(x: NDArray[np.float64], y: NDArray[np.float64], limit: int) -> Chosen:
    """Largest-Triangle-Three-Buckets: keeps the shape of a line.

    Of each of `limit - 2` parts of equal size the point that spans the largest triangle with the one chosen before it
    and the mean of the next part; the first and the last always. Source: Sveinn Steinarsson, Downsampling Time Series
    for Visual Representation, 2013, section 4.2.

    Args:
        x, y: finite, of shape (n,); x ascending.
        limit: at least 2.
    """
    n = len(x)
    if n <= limit:
        return np.arange(n)
    # The parts of the points between the first and the last; the last point is a part of its own.
    bounds = np.append(np.linspace(1, n - 1, limit - 1).astype(np.intp), n)
    sizes = np.diff(bounds)
    mean_x = np.add.reduceat(x, bounds[:-1]) / sizes
    mean_y = np.add.reduceat(y, bounds[:-1]) / sizes
    chosen = np.zeros(limit, np.intp)
    chosen[-1] = n - 1
    at_x, at_y = x[0], y[0]
    for part in range(limit - 2):
        part_x, part_y = x[bounds[part] : bounds[part + 1]], y[bounds[part] : bounds[part + 1]]
        next_x, next_y = mean_x[part + 1], mean_y[part + 1]
        # Twice the area; the sign is the side, which doesn't matter.
        areas = np.abs((at_x - next_x) * (part_y - at_y) - (at_x - part_x) * (next_y - at_y))
        best = int(areas.argmax())
        at_x, at_y = part_x[best], part_y[best]
        chosen[part + 1] = bounds[part] + best
    return chosen


def minmax(y: NDArray[np.float64], limit: int) -> Chosen:
    """The smallest and the largest of each of `limit // 2` parts of equal size: misses no peak.

    Args:
        y: finite, of shape (n,).
        limit: at least 2.
    """
    n = len(y)
    if n <= limit:
        return np.arange(n)
    bounds = np.linspace(0, n, limit // 2 + 1).astype(np.intp)
    chosen: set[int] = set()
    for begin, end in pairwise(bounds.tolist()):
        part = y[begin:end]
        chosen.update((begin + int(part.argmin()), begin + int(part.argmax())))
    return np.array(sorted(chosen), np.intp)
