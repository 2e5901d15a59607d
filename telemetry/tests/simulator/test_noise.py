import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from telemetry.simulator.noise import key_of, uniform, wander

keys = st.integers(0, 2**64 - 1)


def test_it_makes_the_same_key_in_every_run() -> None:
    assert key_of("kandy/rolling/roller-2", 0) == 12_660_535_599_193_030_838


def test_it_spreads_evenly() -> None:
    numbers = uniform(key_of("a"), np.arange(100_000))

    assert 0 <= numbers.min() < numbers.max() < 1
    counts, _ = np.histogram(numbers, bins=10, range=(0, 1))
    assert counts.min() > 9_600
    assert counts.max() < 10_400


@given(keys, st.floats(-4e9, 4e9), st.floats(1, 1e5))
def test_it_wanders_between_its_bounds_without_jumps(key: int, t: float, period_s: float) -> None:
    here, next_to_it = wander(key, np.array([t, t + period_s / 1000]), period_s)

    assert -1 <= here <= 1
    assert abs(here - next_to_it) < 0.01


@given(keys, keys)
def test_it_wanders_differently_for_each_key(a: int, b: int) -> None:
    t = np.arange(0.0, 350.0, 7.0)
    assert (a == b) == np.array_equal(wander(a, t, 10), wander(b, t, 10))
