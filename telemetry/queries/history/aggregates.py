"""What a bucket says, out of its joined rollups: averages, deltas of counters, time-weighted averages.

Times are seconds since 1970 UTC.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from telemetry.queries.history.kinds import COUNTS

Cell = float | int | None


class Joined(NamedTuple):
    """The rollups of a bucket joined into one. What stands after `used` is None where that is 0.

    `used` counts the readings that count: the good ones, or all where any quality was asked for. `resets` is how
    often a value is below the one before it, `peaks` the sum of the values before, `integral` the sum of value ×
    seconds until the next reading, from the first to the last.
    """

    n: int
    n_good: int
    used: int
    min: float | None
    max: float | None
    sum: float | None
    first: float
    last: float
    first_at: float
    last_at: float
    resets: float
    peaks: float
    integral: float


class Grid(NamedTuple):
    """The buckets of a range: bucket i lies between splits i and i + 1, of which the outer two are the range's."""

    splits: Sequence[float]
    now: float

    @property
    def size(self) -> int:
        return len(self.splits) - 1

    def stop(self, i: int) -> float:
        """Until when something of bucket i is known."""
        return min(self.splits[i + 1], self.now)


class NotGood(NamedTuple):
    """Readings of a bucket that are kept and not good."""

    n: int
    n_bad: int


Rows = dict[int, Joined]  # by bucket; of those with readings


def column(agg: str, rows: Rows, grid: Grid, before: Joined | None, kind: str, rollover_at: float | None) -> list[Cell]:
    """One of the aggregates for each bucket; None where there is none.

    Args:
        before: what is known from before the range: its last reading counts.
        kind: of the sensor.
        rollover_at: of a counter whose falls are rollovers, not resets.
    """
    if agg == "delta":
        return _deltas(rows, grid, before, kind == "counter", rollover_at)
    if agg == "twa":
        return _time_weighted(rows, grid, before)
    cells: list[Cell] = [0 if agg in COUNTS else None] * grid.size
    for i, row in rows.items():
        if agg == "count":
            cells[i] = row.used
        elif agg == "count_all":
            cells[i] = row.n
        elif agg == "percent_good":
            cells[i] = 100 * row.n_good / row.n
        elif row.used and agg == "avg":
            assert row.sum is not None
            cells[i] = row.sum / row.used
        elif row.used:
            cells[i] = getattr(row, agg)
    return cells


def bad_counts(rows: Rows, not_good: Mapping[int, NotGood], grid: Grid) -> list[Cell]:
    """How many readings are bad; None where some are not good, of which not all are kept."""
    cells: list[Cell] = [0] * grid.size
    for i, row in rows.items():
        kept = not_good.get(i, NotGood(0, 0))
        cells[i] = kept.n_bad if kept.n == row.n - row.n_good else None
    return cells


def _deltas(rows: Rows, grid: Grid, before: Joined | None, is_counter: bool, rollover_at: float | None) -> list[Cell]:
    """How much came since the last reading before the bucket, so that buckets add up to the whole, gaps included.

    Of a gauge it is the difference of the last values. A counter that falls began again at zero: after a reset,
    where its value then is what came; after a rollover, at `rollover_at`.
    """
    cells: list[Cell] = [None] * grid.size
    last = before.last if before is not None and before.used else None
    for i in sorted(rows):
        row = rows[i]
        if not row.used:
            continue
        came = row.last - (row.first if last is None else last)
        if is_counter:
            falls = row.resets + (last is not None and row.first < last)
            if rollover_at is not None:
                came += rollover_at * falls
            else:
                came += row.peaks + (last if last is not None and row.first < last else 0)
        cells[i] = came
        last = row.last
    return cells


def _time_weighted(rows: Rows, grid: Grid, before: Joined | None) -> list[Cell]:
    """The mean over time, of a value that holds until the next reading, also through buckets without one."""
    cells: list[Cell] = [None] * grid.size
    held = before.last if before is not None and before.used else None
    for i in range(grid.size):
        begin, stop = grid.splits[i], grid.stop(i)
        row = rows.get(i)
        if row is None or not row.used:
            if held is not None and begin < stop:
                cells[i] = held
            continue
        area = row.integral + row.last * max(0.0, stop - row.last_at)
        if held is not None:
            area += held * (row.first_at - begin)
        else:
            begin = row.first_at
        span = max(stop, row.last_at) - begin
        cells[i] = area / span if span > 0 else row.last
        held = row.last
    return cells
