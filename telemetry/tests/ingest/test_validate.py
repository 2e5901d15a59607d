"""Validate: what makes a sample of a known sensor a reading."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ingest.validate import DAY_US, FUTURE_US, validate, window
from telemetry.readings import KnownSensor, Reading, Reason, Rejected, Sample

NOW_US = 1_733_904_005_123_456
GAUGE = KnownSensor(17, uuid.UUID(int=1), True, {})
STATE = KnownSensor(18, uuid.UUID(int=1), True, {"stopped": 0.0, "running": 1.0})
ACCEPTED = window(NOW_US, retention_days=90)


def sample(value: float | str = 1.5, time_us: int = NOW_US) -> Sample:
    return "kandy/rolling/roller-2/temp", time_us, value, 192


def reason(result: Reading | Rejected) -> Reason | None:
    return result.reason if isinstance(result, Rejected) else None


def test_it_makes_a_reading_of_a_number() -> None:
    assert validate(sample(), GAUGE, ACCEPTED) == (17, NOW_US, 1.5, 192)


def test_it_stores_a_label_as_its_number() -> None:
    assert validate(sample("running"), STATE, ACCEPTED) == (18, NOW_US, 1.0, 192)


@pytest.mark.parametrize(
    ("given_sample", "sensor", "expected"),
    [
        (sample("flying"), STATE, Reason.UNKNOWN_STATE),
        (sample("23.4"), GAUGE, Reason.NOT_A_NUMBER),
        (sample(), GAUGE._replace(is_active=False), Reason.SENSOR_INACTIVE),
        (sample(time_us=NOW_US + FUTURE_US + 1), GAUGE, Reason.TIMESTAMP_OUT_OF_RANGE),
        (sample(time_us=NOW_US - 90 * DAY_US - 1), GAUGE, Reason.TIMESTAMP_OUT_OF_RANGE),
        (sample(time_us=10**30), GAUGE, Reason.TIMESTAMP_OUT_OF_RANGE),
        (sample(time_us=-(10**30)), GAUGE, Reason.TIMESTAMP_OUT_OF_RANGE),
    ],
)
def test_it_rejects_with_a_reason(given_sample: Sample, sensor: KnownSensor, expected: Reason) -> None:
    assert reason(validate(given_sample, sensor, ACCEPTED)) == expected


def test_it_says_that_a_device_sends_a_decimal_comma() -> None:
    result = validate(sample("23,4"), GAUGE, ACCEPTED)
    assert isinstance(result, Rejected)
    assert result.detail.startswith('The value is the string "23,4": the device sends a decimal comma.')


@given(st.integers(-(2**70), 2**70))
def test_it_accepts_exactly_the_window(time_us: int) -> None:
    inside = NOW_US - 90 * DAY_US <= time_us <= NOW_US + FUTURE_US
    assert (reason(validate(sample(time_us=time_us), GAUGE, ACCEPTED)) is None) == inside
