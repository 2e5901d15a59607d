"""Where buckets begin, against a walk through the minutes with an eye on the clock."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.queries.history.buckets import Bucket, edges

MONDAY = date(2000, 1, 3)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def local(times: list[int], tz: ZoneInfo) -> list[str]:
    return [datetime.fromtimestamp(time, tz).strftime("%a %d %b %H:%M %z") for time in times]


def name_of(moment: datetime, bucket: Bucket) -> tuple[int, ...]:
    """What the clock and the calendar on the wall say of a moment, cut off at the bucket's size."""
    size = bucket.size
    match bucket.unit:
        case "month":
            return ((moment.year * 12 + moment.month - 1) // size,)
        case "w":
            return ((moment.date() - MONDAY).days // (7 * size),)
        case "d":
            return ((moment.date() - MONDAY).days // size,)
    minutes = size * (60 if bucket.unit == "h" else 1)
    twice = moment.fold if minutes <= 60 else 0
    return (moment.toordinal(), (moment.hour * 60 + moment.minute) // minutes, twice)


@given(
    st.sampled_from(
        ["UTC", "Europe/Amsterdam", "America/New_York", "America/Havana", "Africa/Cairo", "Asia/Kathmandu"]
    ),
    st.sampled_from(
        ["1m", "5m", "15m", "30m", "1h", "2h", "3h", "6h", "8h", "12h", "1d", "2d", "1w", "1month", "3month"]
    ),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 what hypothesis asks for
    st.integers(1, 5000),
)
@settings(max_examples=150, deadline=None)
def test_it_goes_by_the_clock_on_the_wall(zone: str, size: str, start: datetime, minutes: int) -> None:
    tz, bucket = ZoneInfo(zone), Bucket.parse(size)
    begin = int(start.replace(second=0, microsecond=0, tzinfo=UTC).timestamp())
    walk = range(begin, begin + 60 * minutes, 60)
    names = [name_of(datetime.fromtimestamp(time, tz), bucket) for time in walk]
    changes = [time for time, before, name in zip(walk[1:], names[:-1], names[1:], strict=True) if before != name]
    found = edges(bucket, begin, begin + 60 * minutes, tz)
    assert found[1:-1] == changes
    assert found[0] <= begin
    assert found[-1] >= begin + 60 * minutes


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia"])
@pytest.mark.parametrize("size", ["1m", "7m", "1h", "2h", "5h", "1d", "10d", "1w", "1month", "12month"])
def test_it_leaves_no_gap_and_begins_and_ends_around_the_range(zone: str, size: str) -> None:
    start, end = at("2011-12-29T10:07:30+00:00"), at("2012-01-01T10:07:30+00:00")
    found = edges(Bucket.parse(size), start, end, ZoneInfo(zone))
    assert found == sorted(set(found))
    assert found[0] <= start < found[1]
    assert found[-2] < end <= found[-1]


AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("day", "size", "expected"),
    [
        # 23 hours: the clocks go from 2 to 3.
        ("2026-03-29", "6h", ["00:00 +0100", "06:00 +0200", "12:00 +0200", "18:00 +0200", "00:00 +0200"]),
        ("2026-03-29", "1d", ["00:00 +0100", "00:00 +0200"]),
        # 25 hours: 2 o'clock comes twice, and is two hours, but one bucket of 2 hours.
        ("2026-10-25", "12h", ["00:00 +0200", "12:00 +0100", "00:00 +0100"]),
        ("2026-10-25", "1d", ["00:00 +0200", "00:00 +0100"]),
    ],
)
def test_it_keeps_to_the_clock_on_odd_days(day: str, size: str, expected: list[str]) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=AMSTERDAM)
    start = int(midnight.timestamp())
    end = int((midnight + timedelta(days=1)).timestamp())
    found = local(edges(Bucket.parse(size), start, end, AMSTERDAM), AMSTERDAM)
    assert [text.split(" ", 3)[3] for text in found] == expected


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_it_has_as_many_hours_as_the_day(day: str, hours: int) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=AMSTERDAM)
    start, end = int(midnight.timestamp()), int((midnight + timedelta(days=1)).timestamp())
    assert len(edges(Bucket.parse("1h"), start, end, AMSTERDAM)) - 1 == hours


def test_it_makes_an_hour_longer_where_half_of_it_comes_twice() -> None:
    tz = ZoneInfo("Australia/Lord_Howe")  # on this day it goes from 2:00 back to 1:30
    found = edges(Bucket.parse("1h"), at("2026-04-05T00:00+11:00"), at("2026-04-05T03:00+10:30"), tz)
    assert [b - a for a, b in itertools.pairwise(found)] == [3600, 5400, 3600]


def test_it_begins_weeks_on_monday_and_quarters_with_the_year() -> None:
    start, end = at("2026-11-24T12:00+01:00"), at("2026-11-24T13:00+01:00")
    assert local(edges(Bucket.parse("1w"), start, end, AMSTERDAM), AMSTERDAM) == [
        "Mon 23 Nov 00:00 +0100",
        "Mon 30 Nov 00:00 +0100",
    ]
    assert local(edges(Bucket.parse("3month"), start, end, AMSTERDAM), AMSTERDAM) == [
        "Thu 01 Oct 00:00 +0200",
        "Fri 01 Jan 00:00 +0100",
    ]


@pytest.mark.parametrize(
    ("text", "bucket"), [("15m", "15m"), ("hour", "1h"), ("day", "1d"), ("week", "1w"), ("month", "1month")]
)
def test_it_reads_what_it_writes_and_names_of_the_calendar(text: str, bucket: str) -> None:
    assert str(Bucket.parse(text)) == bucket


@pytest.mark.parametrize(
    "text", ["", "0m", "m", "1.5h", "-1h", "1y", "1 h", "１h", "1m\n", "30s", "500ms", "1300month"]
)
def test_it_refuses_what_no_level_allows(text: str) -> None:
    with pytest.raises(ValueError, match=r"bucket|Choose"):
        Bucket.parse(text)
