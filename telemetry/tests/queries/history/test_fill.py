"""Gaps in columns."""

import pytest

from telemetry.queries.history.aggregates import Cell, Grid
from telemetry.queries.history.fill import Fill, filled, known

GRID = Grid([0, 60, 120, 180, 240, 300], now=1000)


@pytest.mark.parametrize(
    ("fill", "held", "expected"),
    [
        ("null", 7.0, [None, 1.0, None, None, 4.0]),
        ("previous", None, [None, 1.0, 1.0, 1.0, 4.0]),
        ("previous", 7.0, [7.0, 1.0, 1.0, 1.0, 4.0]),
        ("linear", 7.0, [None, 1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_it_fills(fill: Fill, held: float | None, expected: list[Cell]) -> None:
    assert filled([None, 1.0, None, None, 4.0], fill, GRID, held) == expected


def test_it_draws_the_line_by_time_where_buckets_differ_in_length() -> None:
    assert filled([0.0, None, 10.0], "linear", Grid([0, 10, 100, 110], now=1000), None) == [0.0, 1.0, 10.0]


def test_it_knows_nothing_of_the_future() -> None:
    assert filled([1.0, None, None], "previous", Grid([0, 60, 120, 180], now=70), None) == [1.0, 1.0, None]


@pytest.mark.parametrize("cells", [[None, None], [], [None, 3.0]])
def test_it_draws_no_line_from_a_single_point(cells: list[Cell]) -> None:
    assert filled(cells, "linear", GRID, None) == cells


def test_it_takes_a_count_of_zero_for_nothing_known() -> None:
    assert known([[0, 2, 0], [None, 1.0, 0.0]], ["count", "delta"]) == [1, 2]
