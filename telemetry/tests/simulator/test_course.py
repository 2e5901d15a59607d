import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.simulator.course import FAULT, MAINTENANCE, RUNNING, Course, days_between

NOW = 1_790_000_000.0
moments = st.floats(1.7e9, 2.2e9)


@pytest.fixture(scope="module")
def course() -> Course:
    return Course("kandy/rolling/roller-2")


def test_it_runs_most_of_the_time_and_rarely_fails(course: Course) -> None:
    states = course.state(NOW + np.arange(0, 60 * 86_400, 20.0))

    share = np.bincount(states, minlength=5) / len(states)
    assert 0.8 < share[RUNNING] < 0.95
    assert 0 < share[FAULT] < 0.01
    assert 0 < share[MAINTENANCE] < 0.03


def test_it_fails_for_a_few_minutes_at_a_time(course: Course) -> None:
    changes = course.changes(NOW, NOW + 60 * 86_400)
    states = course.state(changes)
    lengths = np.diff(changes)[states[:-1] == FAULT]

    assert len(lengths)
    assert lengths.max() <= 360


def test_it_finds_every_change_of_state(course: Course) -> None:
    t = np.arange(NOW, NOW + 5 * 86_400)
    states = course.state(t)

    assert course.changes(t[0] + 1, t[-1] + 1).tolist() == t[1:][states[1:] != states[:-1]].tolist()


def test_it_takes_another_course_for_another_machine_or_seed(course: Course) -> None:
    t = NOW + np.arange(0, 86_400, 20.0)

    for other in (Course("kandy/rolling/roller-1"), Course(course.machine_address, seed=1)):
        assert not np.array_equal(course.state(t), other.state(t))


@given(moments, st.sampled_from([(900.0, 1_500.0), (1_800.0, 2_400.0)]))
def test_it_warms_and_cools_without_jumps(t: float, follows: tuple[float, float]) -> None:
    here, later = Course("kandy/rolling/roller-2").activity(np.array([t, t + 1]), *follows)

    assert 0 <= here <= 1
    assert abs(here - later) < 0.005


@given(moments)
def test_it_strains_without_jumps(t: float) -> None:
    here, later = Course("kandy/rolling/roller-2").strain(np.array([t, t + 1]))

    assert 0 <= here <= 1
    assert abs(here - later) < 0.005


def test_it_is_strained_when_a_fault_begins(course: Course) -> None:
    changes = course.changes(NOW, NOW + 60 * 86_400)
    begins = changes[course.state(changes) == FAULT]

    assert course.strain(begins).min() > 0.9


@pytest.mark.parametrize(
    ("timezone", "lengths"),
    [("UTC", {86_400}), ("Asia/Colombo", {86_400}), ("Europe/Amsterdam", {82_800, 86_400, 90_000})],
)
def test_it_knows_how_long_a_plant_s_days_are(timezone: str, lengths: set[int]) -> None:
    year = 1_767_225_600  # 2026-01-01 UTC
    midnights = days_between(timezone, year, year + 365 * 86_400)

    assert midnights[0] <= year
    assert midnights[-1] > year + 365 * 86_400
    assert set(np.diff(midnights).tolist()) == lengths
