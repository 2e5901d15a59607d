import pytest

from alarms.conditions import NORMAL, Change, Good, Kind, Limits, Standing, advance, limits, step
from alarms.models import Rule
from plants.scales import SECOND_US

Readings = list[tuple[float, float]]  # (seconds, value)


def run(rule: Limits, readings: Readings, until_s: float = 0) -> list[tuple[bool, float]]:
    """(is active, at what second) of each change, the clock's up to `until_s` included."""
    standing: Standing = NORMAL
    before: Good | None = None
    changes: list[Change] = []
    for seconds, value in readings:
        time_us = round(seconds * SECOND_US)
        standing, found = step(rule, standing, time_us, value, before)
        changes += found
        before = Good(time_us, value)
    _, last = advance(rule, standing, round(until_s * SECOND_US), 0.0)
    return [(each.is_active, each.time_us / SECOND_US) for each in [*changes, *([last] if last else [])]]


@pytest.mark.parametrize(
    ("kind", "setpoint", "deadband", "readings", "expected"),
    [
        ("high", 80, 0, [(0, 80), (1, 80.5), (2, 80)], [(True, 1), (False, 2)]),
        ("high_high", 80, 5, [(0, 81), (1, 76), (2, 75)], [(True, 0), (False, 2)]),
        ("low", 10, 2, [(0, 9), (1, 11), (2, 12), (3, 11)], [(True, 0), (False, 2)]),
        ("low_low", 10, 0, [(0, 10), (1, 9)], [(True, 1)]),
        ("rate", 60, 0, [(0, 0), (1, 1), (2, 3), (3, 3.5)], [(True, 2), (False, 3)]),
        ("state", 3, 0, [(0, 1), (1, 3), (2, 3), (3, 0)], [(True, 1), (False, 3)]),
        ("stuck", 10, 0.1, [(0, 5), (4, 5.05), (9, 5), (12, 5), (13, 6)], [(True, 10), (False, 13)]),
        ("stuck", 10, 0, [(0, 5), (4, 5), (9, 6), (12, 6)], []),
    ],
)
def test_it_says_when_a_condition_holds(
    kind: str, setpoint: float, deadband: float, readings: Readings, expected: list[tuple[bool, float]]
) -> None:
    assert run(limits(kind, setpoint, deadband, 0, 0), readings) == expected


@pytest.mark.parametrize(
    ("on_s", "off_s", "readings", "until_s", "expected"),
    [
        (5, 0, [(0, 90), (4, 70)], 99, []),
        (5, 0, [(0, 90), (7, 90)], 0, [(True, 5)]),
        (5, 0, [(0, 90), (7, 70)], 0, [(True, 5), (False, 7)]),
        (5, 0, [(0, 90)], 4, []),
        (5, 0, [(0, 90)], 5, [(True, 5)]),
        (0, 5, [(0, 90), (1, 70), (3, 90), (4, 70)], 8, [(True, 0)]),
        (0, 5, [(0, 90), (1, 70), (3, 90), (4, 70)], 9, [(True, 0), (False, 9)]),
    ],
)
def test_it_waits_for_its_delays(
    on_s: float, off_s: float, readings: Readings, until_s: float, expected: list[tuple[bool, float]]
) -> None:
    assert run(limits("high", 80, 0, on_s, off_s), readings, until_s) == expected


def test_it_says_nothing_about_the_time_before_a_second_reading_shows_that_a_value_is_stuck() -> None:
    rule = limits("stuck", 5, 0, 0, 10)
    readings = [(0.0, 5.0), (5.0, 5.0), (6.0, 7.0), (20.0, 7.0)]
    assert run(rule, readings) == [(True, 5), (False, 16), (True, 20)]


def test_it_measures_a_deviation_from_another_value() -> None:
    rule = limits("deviation", 5, 0, 0, 0)
    standing, changes = step(rule, NORMAL, 0, 20.0, None, reference=14.0)
    assert [each.is_active for each in changes] == [True]
    assert step(rule, standing, 1, 20.0, None, reference=None) == (standing, [])
    assert [each.is_active for each in step(rule, standing, 1, 20.0, None, reference=15.0)[1]] == [False]


def test_it_holds_nothing_abnormal_out_of_its_hours() -> None:
    rule = limits("high", 80, 0, 0, 0)
    standing, _ = step(rule, NORMAL, 0, 90.0, None)
    assert step(rule, standing, 1, 90.0, None, is_scheduled=False)[0] == NORMAL


def test_it_knows_the_kinds_that_rules_may_have() -> None:
    assert {kind.value for kind in Kind} == set(Rule.Kind.values)
