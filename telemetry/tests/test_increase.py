from datetime import UTC, datetime, timedelta

import pytest

from telemetry.increase import increase

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def minutes_ago(*points: tuple[float, float]) -> list[tuple[datetime, float]]:
    return [(NOW - timedelta(minutes=minutes), value) for minutes, value in points]


def test_it_counts_from_the_middle_of_the_oldest_bucket_within_the_hour() -> None:
    points = minutes_ago((62, 100.0), (60, 104.0), (30, 110.0), (0, 116.5))

    assert increase(points, NOW) == (12.5, NOW - timedelta(minutes=59))


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((0, 5.0),),
        ((1, 4.0), (0, 5.0)),  # less than a bucket
        ((30, 1000.0), (28, 500.0), (26, 3.0), (0, 9.0)),  # begun anew
    ],
)
def test_it_says_nothing_where_nothing_follows(points: tuple[tuple[float, float], ...]) -> None:
    assert increase(minutes_ago(*points), NOW) is None
