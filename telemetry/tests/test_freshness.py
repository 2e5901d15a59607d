import pytest

from telemetry.freshness import Freshness, freshness


@pytest.mark.parametrize(
    ("age_s", "expected_interval_s", "stale_after_s", "answer"),
    [
        (None, 1, 300, "none"),
        (0, 1, 300, "fresh"),
        (-2, 1, 300, "fresh"),  # a device clock that runs ahead
        (3, 1, 300, "fresh"),
        (3.001, 1, 300, "late"),
        (300, 1, 300, "late"),
        (300.001, 1, 300, "stale"),
        (299, None, 300, "fresh"),
        (301, None, 300, "stale"),
        (25, 10, 20, "stale"),  # stale_after_s is stricter than three intervals
    ],
)
def test_it_says_how_fresh_a_reading_is(
    age_s: float | None, expected_interval_s: float | None, stale_after_s: float, answer: Freshness
) -> None:
    assert freshness(age_s, expected_interval_s, stale_after_s) == answer
