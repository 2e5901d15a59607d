"""For how long a state sensor was in each of its states, by bucket.

A state holds until the next reading. Times are seconds since 1970 UTC.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from telemetry.queries.history.aggregates import Cell, Grid

Change = tuple[float, float]  # (time, value from then on)


def labels(states: Mapping[str, str], changes: Sequence[Change]) -> dict[float, str]:
    """The column of each value: the sensor's labels by number, then values without one by what they are."""
    named = {float(number): label for number, label in states.items()}
    named = dict(sorted(named.items()))
    for value in sorted({value for _, value in changes} - named.keys()):
        named[value] = f"{value:g}"
    return named


def durations(changes: Sequence[Change], grid: Grid, values: Sequence[float]) -> list[list[Cell]]:
    """A column of seconds for each value; None in buckets in which no state is known.

    Args:
        changes: in order of time; those before the range tell in which state it begins.
        values: all that occur in the changes, and those that might have.
    """
    seconds: list[dict[float, float]] = [{} for _ in range(grid.size)]
    end = min(grid.splits[-1], grid.now)
    bucket = 0
    for (since, value), (until, _) in pairwise([*changes, (end, 0.0)]):
        since, until = max(since, grid.splits[0]), min(until, end)
        while since < until:
            while grid.splits[bucket + 1] <= since:
                bucket += 1
            part = min(until, grid.splits[bucket + 1])
            spent = seconds[bucket]
            spent[value] = spent.get(value, 0.0) + part - since
            since = part
    return [[round(spent.get(value, 0.0), 6) if spent else None for spent in seconds] for value in values]
