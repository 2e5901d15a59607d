"""What the trend's modules work out without a page: gaps, ranges, labels."""

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

RUN = """async ([name, called, given]) => {
    const module = await import(`/static/inqube/${name}.js`);
    return module[called](...given);
}"""

S = 1000
MINUTE = 60 * S


@pytest.fixture
def run(stranger: Page) -> Any:
    """`run(module, function, *arguments)`, in the browser."""
    stranger.goto("/login/")
    return lambda name, called, *given: stranger.evaluate(RUN, [name, called, list(given)])


def readings(*times: int) -> dict[str, Any]:
    points = [{"begin": each, "end": each, "all": 1, "good": 1, "value": 1, "quality": "good"} for each in times]
    return {"bucket": "raw", "points": points}


def buckets(*counts: int) -> dict[str, Any]:
    points = [{"begin": i * MINUTE, "end": (i + 1) * MINUTE, "all": n, "good": n} for i, n in enumerate(counts)]
    return {"bucket": "1m", "points": points}


@pytest.mark.parametrize(
    ("sensor", "series", "end", "breaks", "gaps"),
    [
        # Two readings of a sensor that sends each 2 s: a break from three of them on, a gap once it was stale.
        ((2, 60), readings(0, 2 * S, 7 * S), 8 * S, [], []),
        ((2, 60), readings(0, 9 * S), 10 * S, [[0, 9 * S]], []),
        ((2, 60), readings(0, 90 * S), 90 * S, [[0, 90 * S]], [[0, 90 * S]]),
        # One empty minute is missed of a sensor that sends each 2 s, but not of one that sends each 30 s.
        ((2, 60), buckets(30, 0, 30), 3 * MINUTE, [[MINUTE, 2 * MINUTE]], [[MINUTE, 2 * MINUTE]]),
        ((30, 300), buckets(2, 0, 2), 3 * MINUTE, [], []),
        # What reports on change holds its value; silent all along, it has none to hold.
        ((None, 60), readings(0), 60 * MINUTE, [], []),
        ((None, 60), readings(), 60 * MINUTE, [], [[0, 60 * MINUTE]]),
    ],
)
def test_it_tells_from_the_interval_where_readings_are_missing(
    run: Any, sensor: Any, series: Any, end: int, breaks: Any, gaps: Any
) -> None:
    interval, stale = sensor
    found = run("trend-gaps", "missing", {"interval": interval, "stale": stale}, series, 0, end, end)

    assert found == {"breaks": breaks, "gaps": gaps}


def test_it_keeps_labels_apart_and_inside(run: Any) -> None:
    assert run("trend-gutter", "spread", [10, 12, 200], 34, 0, 210) == [10, 44, 200]
    assert run("trend-gutter", "spread", [205, 208], 34, 0, 210) == [176, 210]


@pytest.mark.parametrize(
    ("span", "interval", "bucket"), [(3600 * S, 2, "auto"), (86_400 * S, 2, "auto"), (86_400 * S, 60, "auto")]
)
def test_it_asks_for_single_readings_where_they_fit(run: Any, span: int, interval: float, bucket: str) -> None:
    asked = run("trend-data", "questionFor", {"kind": "gauge", "interval": interval}, span, 1000)

    assert asked["bucket"] == bucket
    assert ("agg" in asked) == (span / (interval * S) > 3000)


def test_it_says_the_day_where_one_begins(run: Any) -> None:
    midnight = 1_795_631_400_000  # 26 Nov 2026 in Colombo
    labels = run("trend-axis", "timeLabels", [midnight - 3_600_000, midnight], 3_600_000, "Asia/Colombo")

    assert labels == ["23:00", "26 Nov"]


def test_it_says_a_range_with_its_year_where_that_differs(run: Any) -> None:
    year = 365 * 86_400_000
    start = 1_795_502_000_000
    text = run("trend-legend", "rangeText", start, start + year, "Asia/Colombo")

    assert text == "24 Nov 2026 12:03 to 24 Nov 2027 12:03 +05:30"
