"""What stands where a bucket has no value."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from telemetry.queries.history.aggregates import Cell, Grid
from telemetry.queries.history.kinds import COUNTS

Fill = Literal["none", "null", "previous", "linear"]

# Columns in the sensor's own unit: others have no value to go on with. A delta that came twice would be counted twice.
FILLABLE = {"avg", "min", "max", "first", "last", "twa"}


def filled(cells: list[Cell], fill: Fill, grid: Grid, held: float | None) -> list[Cell]:
    """A column with its gaps filled, as far as something is known: not beyond now.

    Args:
        held: the last value before the range, which `previous` begins with.
    """
    if fill == "previous":
        return _previous(cells, grid, held)
    if fill == "linear":
        return _linear(cells, grid)
    return cells


def _previous(cells: list[Cell], grid: Grid, held: Cell) -> list[Cell]:
    found: list[Cell] = []
    for i, cell in enumerate(cells):
        if cell is not None:
            held = cell
        found.append(cell if cell is not None or grid.splits[i] > grid.now else held)
    return found


def _linear(cells: list[Cell], grid: Grid) -> list[Cell]:
    """On the straight line between the neighbours that have a value, by the begin of the buckets."""
    known = [i for i, cell in enumerate(cells) if cell is not None]
    if len(known) < 2:
        return cells
    inner = range(known[0], known[-1] + 1)
    line = np.interp(
        [grid.splits[i] for i in inner], [grid.splits[i] for i in known], [float(cells[i] or 0) for i in known]
    ).tolist()
    between = [line[i - known[0]] if cells[i] is None else cells[i] for i in inner]
    return [*cells[: known[0]], *between, *cells[known[-1] + 1 :]]


def known(columns: Sequence[list[Cell]], names: Sequence[str]) -> list[int]:
    """The buckets of which something is known: any cell but a count of zero."""
    if not columns:
        return []
    return [
        i
        for i, cells in enumerate(zip(*columns, strict=True))
        if any(cell is not None and (cell or name not in COUNTS) for name, cell in zip(names, cells, strict=True))
    ]
