"""What buckets must say, computed from all readings at once, one definition after the other. Slow and plain.

Times are microseconds since 1970 UTC.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

Reading = tuple[int, float, int]  # (time, value, quality)
Cell = float | int | None


def counted(readings: Sequence[Reading], any_quality: bool) -> list[tuple[int, float]]:
    return [(time, value) for time, value, quality in sorted(readings) if any_quality or quality >= 192]


def cell(
    agg: str,
    readings: Sequence[Reading],
    bucket: tuple[int, int],
    now: int,
    *,
    any_quality: bool,
    kind: str,
    rollover_at: float | None,
) -> Cell:
    """An aggregate of a bucket, of which the part in the range is given."""
    begin, end = bucket
    all_of_it = [quality for time, _, quality in readings if begin <= time < end]
    values = counted(readings, any_quality)
    within = [(time, value) for time, value in values if begin <= time < end]
    here = [value for _, value in within]
    if agg == "count":
        return len(here)
    if agg == "count_all":
        return len(all_of_it)
    if agg == "count_bad":
        return sum(quality < 64 for quality in all_of_it)
    if agg == "percent_good":
        return 100 * sum(quality >= 192 for quality in all_of_it) / len(all_of_it) if all_of_it else None
    if agg == "twa":
        return time_weighted(values, within, begin, end, now)[0]
    if not here:
        return None
    match agg:
        case "avg":
            return math.fsum(here) / len(here)
        case "sum":
            return math.fsum(here)
        case "min":
            return min(here)
        case "max":
            return max(here)
        case "first":
            return here[0]
        case "last":
            return here[-1]
        case "delta":
            since = [value for time, value in values if time < begin][-1:]
            return math.fsum(
                step(before, after, kind == "counter", rollover_at) for before, after in pairwise(since + here)
            )
    raise LookupError(agg)


def step(before: float, after: float, is_counter: bool, rollover_at: float | None) -> float:
    if is_counter and after < before:
        return after if rollover_at is None else after + rollover_at - before
    return after - before


def time_weighted(
    values: list[tuple[int, float]], within: list[tuple[int, float]], begin: int, end: int, now: int
) -> tuple[float | None, int]:
    """The mean over time, and over how much of it."""
    held = [value for time, value in values if time < begin][-1:]
    points = [(begin, held[0]), *within] if held else within
    stop = max([min(end, now), *(time for time, _ in within)])
    if not points or (not within and begin >= stop):
        return None, 0
    ends = [time for time, _ in points[1:]] + [stop]
    span = stop - points[0][0]
    if span == 0:
        return points[-1][1], 0
    areas = (value * (until - time) for (time, value), until in zip(points, ends, strict=True))
    return math.fsum(areas) / span, span


def seconds_in(values: list[tuple[int, float]], bucket: tuple[int, int], now: int) -> dict[float, float]:
    """For how long each value held within the bucket."""
    begin, end = bucket[0], min(bucket[1], now)
    spent: dict[float, float] = {}
    for (since, value), (until, _) in pairwise([*values, (end, 0.0)]):
        part = min(until, end) - max(since, begin)
        if part > 0:
            spent[value] = spent.get(value, 0.0) + part / 1e6
    return spent
