"""Rows of files as samples: what devices may send, and how spreadsheets write it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plants.scales import BAD, GOOD, UNCERTAIN
from telemetry.imports.rows import samples
from telemetry.readings import Reason, Rejected
from telemetry.tests.samples import TEMP, us

TIME = "2026-11-20T22:59:59.5Z"
TIME_US = us(datetime(2026, 11, 20, 22, 59, 59, 500_000, tzinfo=UTC))


def row(**fields: Any) -> dict[str, Any]:
    return {"address": TEMP, "timestamp": TIME, "value": "1", **fields}


@pytest.mark.parametrize(
    ("text", "value"),
    [("-5.25", -5.25), ("1e+21", 1e21), ("+.5", 0.5), ("5.", 5.0), ("007", 7.0), (" 3 ", 3.0), ("running", "running")],
)
def test_it_reads_values_of_csv(text: str, value: float | str) -> None:
    assert samples([row(value=text)], 0) == [(TEMP, TIME_US, value, GOOD)]


@pytest.mark.parametrize(
    ("quality", "stored"),
    [("192", GOOD), (64, UNCERTAIN), ("bad", BAD), ("", GOOD), (None, GOOD), ("0", BAD)],
)
def test_it_reads_qualities(quality: Any, stored: int) -> None:
    assert samples([row(quality=quality)], 0) == [(TEMP, TIME_US, 1.0, stored)]


@pytest.mark.parametrize("timestamp", [TIME, "2026-11-20T23:59:59.5+01:00", TIME_US // 1000, str(TIME_US // 1000)])
def test_it_reads_times(timestamp: Any) -> None:
    assert samples([row(timestamp=timestamp)], 0) == [(TEMP, TIME_US, 1.0, GOOD)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"value": "NaN"}, Reason.NOT_FINITE),
        ({"value": "-inf"}, Reason.NOT_FINITE),
        ({"value": "1e999"}, Reason.NOT_FINITE),
        ({"value": "+1e999"}, Reason.NOT_FINITE),
        ({"value": None}, Reason.NOT_A_NUMBER),
        ({"value": "9007199254740993"}, Reason.INTEGER_TOO_LARGE),
        ({"timestamp": ""}, Reason.BAD_TIMESTAMP),
        ({"timestamp": None}, Reason.BAD_TIMESTAMP),
        ({"timestamp": "2026-11-20 22:59"}, Reason.BAD_TIMESTAMP),
        ({"quality": "300"}, Reason.BAD_QUALITY),
        ({"quality": "fine"}, Reason.BAD_QUALITY),
        ({"address": "kandy/rolling"}, Reason.INVALID_TOPIC),
        ({"address": None}, Reason.INVALID_TOPIC),
        ({"value": '1,"ts":0'}, None),  # a text, not a part of the JSON around it
    ],
)
def test_it_says_what_is_wrong_with_a_row_and_takes_its_neighbours(fields: dict[str, Any], reason: Reason) -> None:
    first, found, last = samples([row(), row(**fields), row()], 0)
    assert first == last == (TEMP, TIME_US, 1.0, GOOD)
    if reason is None:
        assert found == (TEMP, TIME_US, fields["value"], GOOD)
    else:
        assert isinstance(found, Rejected)
        assert found.reason == reason


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_it_reads_back_any_float(value: float) -> None:
    assert samples([row(value=repr(value)), row(value=value)], 0) == [(TEMP, TIME_US, value, GOOD)] * 2


def test_it_keeps_the_order_of_rows_of_many_sensors() -> None:
    rows = [row(address=f"kandy/rolling/roller-2/s{i % 3}", value=i) for i in range(10)]
    assert [sample[2] for sample in samples(rows, 0)] == list(range(10))
