from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.conditions import Good, Limits, limits
from alarms.tests.reference import Asked, Told, changes
from plants.scales import SECOND_US
from telemetry.backtest.figures import Episode
from telemetry.backtest.noise import Noise
from telemetry.backtest.suggest import Deadband, deadband, delays, raised, rounded_up

END_US = 10_000 * SECOND_US


def noise(rule: Limits, sigma: float, usual: float = 60, ramp: float = 0.01) -> Noise:
    """Of a value that slowly rises from what is usual to beyond 80 and back, with noise."""
    found, chance = Noise(rule), Random(1)
    up = [usual + ramp * i for i in range(round(25 / abs(ramp)))]
    before = None
    for second, value in enumerate([*[usual] * 3 * len(up), *up, *reversed(up)]):
        value += chance.gauss(0, sigma)
        found.add(second * SECOND_US, value, before, None)
        before = Good(second * SECOND_US, value)
    return found


def high(deadband: float = 0, on_s: float = 0, off_s: float = 0) -> Limits:
    return limits("high", 80, deadband, on_s, off_s)


def test_it_estimates_noise_at_the_limit() -> None:
    assert noise(high(), 0.5).sigma() == pytest.approx(0.5, rel=0.1)


def test_it_suggests_a_deadband_as_wide_as_the_noise() -> None:
    found = deadband(high(), [noise(high(), 0.5)], " °C")
    assert found.value == pytest.approx(3, rel=0.15)
    assert found.why.startswith(f"A deadband of {found.value:.2g} °C is as wide as the noise")


@pytest.mark.parametrize(
    ("rule", "noises", "expected"),
    [
        (high(deadband=5), [noise(high(), 0.5)], "is wide enough"),
        (high(), [noise(high(), 5)], "No deadband fits"),
        (high(), [Noise(high())], "hardly ever crossed"),
        (high(), [noise(high(), 0.5, usual=90, ramp=-0.01)], "look at the setpoint"),
        (limits("state", 3, 0, 0, 0), [], "has no place"),
    ],
)
def test_it_says_why_no_deadband_is_better(rule: Limits, noises: list[Noise], expected: str) -> None:
    found = deadband(rule, noises, "")
    assert (found.value, expected in found.why) == (None, True), found


def test_it_looks_below_the_limit_where_low_is_wrong() -> None:
    low = limits("low", 80, 0, 0, 0)
    found: Deadband = deadband(low, [noise(low, 0.5, usual=100, ramp=-0.01)], "")
    assert found.value == pytest.approx(3, rel=0.15)


def spells(*seconds: tuple[float, float]) -> list[Episode]:
    return [Episode(round(start * SECOND_US), round(end * SECOND_US), 81, 81) for start, end in seconds]


@pytest.mark.parametrize(
    ("rule", "episodes", "expected"),
    [
        (high(), spells((0, 10), (100, 110)), (0, 0)),
        (high(), spells((0, 1), (3, 4), (6, 7), (9, 300)), (2, 0)),
        (high(), spells((0, 9), (10, 19), (20, 29), (30, 300)), (0, 2)),
        (high(on_s=5), spells((0, 9), (10, 19), (20, 29)), (5, 2)),
        (high(), spells(*((each * 29, each * 29 + 20) for each in range(9))), (0, 10)),
    ],
)
def test_it_suggests_the_shortest_delays_without_chattering(
    rule: Limits, episodes: list[Episode], expected: tuple[float, float]
) -> None:
    assert delays(rule, [episodes], END_US)[:2] == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 9), max_size=16), st.integers(0, 12), st.integers(0, 12))
def test_it_knows_what_delays_make_of_spells(lengths: list[int], on_s: int, off_s: int) -> None:
    edges = [sum(lengths[:i]) for i in range(len(lengths) + 1)]
    history = [Told(second * SECOND_US, 90 if i % 2 else 70) for i, second in enumerate(edges)]
    pairs = zip(edges[1::2], [*edges[2::2], 1_000], strict=False)
    found = raised([(start * SECOND_US, end * SECOND_US) for start, end in pairs], on_s, off_s)
    asked = Asked("high", 80, on_us=on_s * SECOND_US, off_us=off_s * SECOND_US)
    expected = changes(asked, history, 1_000 * SECOND_US)
    assert found == [each.time_us for each in expected if each.kind == "raised"]


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (0.0123, 0.013), (3.0, 3.0), (3.01, 3.1), (123, 130)])
def test_it_rounds_up_to_two_digits(value: float, expected: float) -> None:
    assert rounded_up(value) == expected
