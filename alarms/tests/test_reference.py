"""Conditions say what the slow model of them says, of any rule and any history."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.conditions import NORMAL, Change, Good, advance, limits, step
from alarms.tests.histories import LAST_S, histories, rules
from alarms.tests.reference import Asked, Episode, Happened, Told, changes, episodes, points
from plants.scales import SECOND_US


def stepped(rule: Asked, history: list[Told], until_us: int) -> list[Happened]:
    """By conditions.py, from reading to reading; until then by the clock."""
    asked = limits(rule.kind, rule.setpoint, rule.deadband, rule.on_us / SECOND_US, rule.off_us / SECOND_US)
    standing, before, found = NORMAL, None, list[Change]()
    for time_us, value, other in points(rule, history):
        if time_us > until_us:
            break
        standing, new = step(asked, standing, time_us, value, before, other, rule.watches(time_us))
        before = Good(time_us, value)
        found += new
    if before is not None:
        _, change = advance(asked, standing, until_us, before.value)
        found += [change] if change is not None else []
    return [Happened("raised" if each.is_active else "cleared", each.time_us, each.value) for each in found]


@settings(max_examples=600, deadline=None, print_blob=True)
@given(rules(has_hours=True), histories, st.integers(0, 2 * LAST_S))
def test_it_says_what_the_reference_says(rule: Asked, history: list[Told], until_s: int) -> None:
    until_us = until_s * SECOND_US
    assert stepped(rule, history, until_us) == changes(rule, history, until_us)


@settings(max_examples=200, deadline=None, print_blob=True)
@given(rules(), histories, st.integers(0, 2 * LAST_S))
def test_it_never_takes_back_what_it_said_and_goes_forward_in_time(
    rule: Asked, history: list[Told], until_s: int
) -> None:
    said = stepped(rule, history, 2 * LAST_S * SECOND_US)
    assert [each.time_us for each in said] == sorted(each.time_us for each in said)
    before = stepped(rule, history, until_s * SECOND_US)
    assert said[: len(before)] == before


S = SECOND_US
HIGH = Asked("high", 80, deadband=2, on_us=5 * S, off_us=3 * S)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([Told(0, 81)], [("raised", 5 * S, 81)]),
        ([Told(0, 81), Told(4 * S, 78)], []),
        ([Told(0, 81), Told(4 * S, 79), Told(6 * S, 78), Told(8 * S, 90)], [("raised", 5 * S, 79)]),
        ([Told(0, 81), Told(5 * S, 70)], [("raised", 5 * S, 81), ("cleared", 8 * S, 70)]),
        ([Told(9 * S, 70), Told(0, 81)], []),  # late
        ([Told(9 * S, 70), Told(9 * S, 81)], []),  # again
        ([Told(0, 81, is_bad=True)], []),
    ],
)
def test_the_reference_knows_its_examples(history: list[Told], expected: list[tuple[str, int, float]]) -> None:
    assert changes(HIGH, history) == expected


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("raised cleared raised", [("raised", 2)]),
        ("raised acknowledged cleared raised", [("closed", 1), ("raised", 1)]),
        ("raised cleared acknowledged acknowledged", [("closed", 1)]),
    ],
)
def test_the_reference_knows_the_states_of_alarms(kinds: str, expected: list[tuple[str, int]]) -> None:
    found: list[Episode] = episodes(Happened(kind, 0, 0) for kind in kinds.split())
    assert [(each.state, len(each.spans)) for each in found] == expected
