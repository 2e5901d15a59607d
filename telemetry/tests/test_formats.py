from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from telemetry.formats import format_age, format_clock, format_number, format_offset, format_time

COLOMBO = ZoneInfo("Asia/Colombo")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (68.2, 1, "68.2"),
        (742.0, 0, "742"),
        (-38.0, 0, "−38"),
        (1284.0, 0, "1\u202f284"),
        (-1234567.891, 2, "−1\u202f234\u202f567.89"),
        (0.12, 2, "0.12"),
        (-0.04, 1, "0.0"),  # rounds to nothing, and nothing has no sign
        (2.5, 0, "3"),  # half away from zero, as a browser's toFixed
        (-2.5, 0, "−3"),
        (1e15, 1, "1.000e+15"),
        (1.5, 40, "1.5000000000"),
    ],
)
def test_it_formats_numbers(value: float, decimals: int, text: str) -> None:
    assert format_number(value, decimals) == text


@pytest.mark.parametrize(
    ("age_s", "text"),
    [
        (-3, "0\u202fs"),
        (2.9, "2\u202fs"),
        (59.9, "59\u202fs"),
        (60, "1\u202fmin"),
        (14 * 60 + 59, "14\u202fmin"),
        (3600, "1\u202fh\u00a000\u202fmin"),
        (74 * 60, "1\u202fh\u00a014\u202fmin"),
        (86400 * 3.5, "3\u202fd"),
    ],
)
def test_it_formats_ages(age_s: float, text: str) -> None:
    assert format_age(age_s) == text


def test_it_tells_times_in_the_zone_of_the_plant() -> None:
    assert format_clock(NOON, COLOMBO, NOON) == "17:30"
    assert format_time(NOON, COLOMBO) == "24 Nov 17:30:00 +05:30"


def test_it_tells_the_date_where_it_is_not_today() -> None:
    after_midnight_there = datetime(2026, 11, 24, 19, tzinfo=UTC)

    assert format_clock(NOON, COLOMBO, after_midnight_there) == "24 Nov"


@pytest.mark.parametrize(
    ("zone", "text"), [("Asia/Colombo", "+05:30"), ("America/Sao_Paulo", "−03:00"), ("UTC", "UTC")]
)
def test_it_names_offsets(zone: str, text: str) -> None:
    assert format_offset(NOON, ZoneInfo(zone)) == text
