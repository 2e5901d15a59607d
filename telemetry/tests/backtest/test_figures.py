import pytest

from alarms.conditions import Change, Good, limits
from plants.scales import SECOND_US
from telemetry.backtest.figures import Tally

HIGH = limits("high", 80, 0, 0, 0)


def tally(*raised_s: float) -> Tally:
    """Alarms of a second each."""
    found = Tally(HIGH)
    for second in raised_s:
        found.add(Change(True, round(second * SECOND_US), 81))
        found.add(Change(False, round((second + 1) * SECOND_US), 79))
    return found


@pytest.mark.parametrize(
    ("raised_s", "expected"),
    [
        ((0, 30), 0),
        ((0, 30, 61), 0),
        ((0, 30, 60), 3),
        ((0, 30, 60, 90), 4),
        ((0, 100, 110, 120, 300), 3),
        ((0, 1, 2, 100, 101, 102), 6),
    ],
)
def test_it_counts_alarms_that_come_three_times_a_minute(raised_s: tuple[float, ...], expected: int) -> None:
    assert tally(*raised_s).chattering == expected


def test_it_adds_up_the_time_in_alarm_up_to_the_end() -> None:
    found = tally(0, 10)
    found.add(Change(True, 20 * SECOND_US, 85))
    found.add(Good(21 * SECOND_US, 99))
    found.finish(25 * SECOND_US)
    assert (found.alarms, found.active_us) == (3, 7 * SECOND_US)
    assert found.episodes[-1] == (20 * SECOND_US, None, 85, 99)
