"""Fewer points that look like all, against the definitions in plain Python."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.queries.downsample import lttb, minmax

values = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=120)
limits = st.integers(2, 40)


@given(values, limits)
def test_it_chooses_the_largest_triangle_of_each_part(y: list[float], limit: int) -> None:
    """Steinarsson's definition, with the same bounds of parts."""
    n = len(y)
    x = [float(i * i) for i in range(n)]
    found = lttb(np.array(x), np.array(y), limit).tolist()
    if n <= limit:
        assert found == list(range(n))
        return
    assert len(found) == limit
    assert (found[0], found[-1]) == (0, n - 1)
    bounds = [int(bound) for bound in np.linspace(1, n - 1, limit - 1)] + [n]
    for part in range(limit - 2):
        here, following = range(bounds[part], bounds[part + 1]), range(bounds[part + 1], bounds[part + 2])
        chosen, before = found[part + 1], found[part]
        mean_x = sum(x[i] for i in following) / len(following)
        mean_y = sum(y[i] for i in following) / len(following)
        areas = {
            i: abs((x[before] - mean_x) * (y[i] - y[before]) - (x[before] - x[i]) * (mean_y - y[before])) for i in here
        }
        assert areas[chosen] == pytest.approx(max(areas.values()))


def test_it_keeps_a_peak_that_a_mean_would_flatten() -> None:
    y = np.zeros(10_000)
    y[4321] = 1.0
    assert 4321 in lttb(np.arange(10_000.0), y, 100)
    assert 4321 in minmax(y, 100)


@given(values, limits)
def test_it_keeps_the_extremes_of_equal_parts(y: list[float], limit: int) -> None:
    found = minmax(np.array(y), limit).tolist()
    assert found == sorted(set(found))
    assert len(found) <= max(limit, min(len(y), limit))
    assert {min(y), max(y)} <= {y[i] for i in found}
    if len(y) > limit:
        bounds = [int(bound) for bound in np.linspace(0, len(y), limit // 2 + 1)]
        for begin, end in itertools.pairwise(bounds):
            kept = [y[i] for i in found if begin <= i < end]
            assert {min(y[begin:end]), max(y[begin:end])} == {min(kept), max(kept)}


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_it_leaves_few_points_as_they_are(n: int) -> None:
    y = np.arange(float(n))
    assert lttb(y, y, 7).tolist() == minmax(y, 7).tolist() == list(range(n))
