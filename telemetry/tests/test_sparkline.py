from datetime import UTC, datetime, timedelta
from functools import partial

from telemetry.sparkline import sparkline

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
without_range = partial(sparkline, low=None, high=None, interval_s=2)


def minutes_ago(*points: tuple[float, float]) -> list[tuple[datetime, float]]:
    return [(NOW - timedelta(minutes=minutes), value) for minutes, value in points]


def test_it_spans_the_hour_and_the_values() -> None:
    line = without_range(minutes_ago((60, 1.0), (58, 3.0)), NOW)

    assert line.line == "M1.0 11.5L2.2 2.5"
    assert line.last == (2.2, 2.5)


def test_it_leaves_out_what_is_older_than_an_hour() -> None:
    assert without_range(minutes_ago((61, 1.0)), NOW) == ("", None)


def test_it_breaks_the_line_at_a_gap() -> None:
    points = minutes_ago((30, 1.0), (20, 1.0))

    assert without_range(points, NOW).line.count("M") == 2
    assert sparkline(points, NOW, low=None, high=None, interval_s=600).line.count("M") == 1


def test_it_draws_the_noise_of_a_steady_value_as_steady() -> None:
    wide = sparkline(minutes_ago((30, 50.0), (28, 50.1)), NOW, low=0, high=100, interval_s=2)

    assert wide.line == "M19.2 7.0L20.5 7.0"
