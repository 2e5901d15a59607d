"""Decode: every body of the MQTT interface, and every way to get it wrong."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ingest.decode import MAX_DEPTH, MAX_PAYLOAD_BYTES, MAX_SAMPLES, decode, parse_topic
from telemetry.readings import Message, Reason, Sample

NOW_US = 1_733_904_005_123_456
TS_MS = 1_733_904_000_000
MACHINE = "inqube/v1/kandy/rolling/roller-2/t"
TEMP = f"{MACHINE}/temp"
ADDRESS = "kandy/rolling/roller-2/temp"


def decoded(topic: str, payload: bytes | str) -> tuple[list[Sample], list[Reason]]:
    raw = payload.encode() if isinstance(payload, str) else payload
    samples, rejected = decode(Message(topic, raw, NOW_US, None))
    return samples, [each.reason for each in rejected]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("23.4", (NOW_US, 23.4, 192)),
        ("-7", (NOW_US, -7, 192)),
        ("true", (NOW_US, 1.0, 192)),
        ("false", (NOW_US, 0.0, 192)),
        ('"running"', (NOW_US, "running", 192)),
        ('{"v": 23.4}', (NOW_US, 23.4, 192)),
        (f'{{"v": 23.4, "ts": {TS_MS}}}', (TS_MS * 1000, 23.4, 192)),
        ('{"v": 23.4, "ts": "2024-12-11T13:30:00.123456+05:30"}', (1_733_904_000_123_456, 23.4, 192)),
        ('{"v": 23.4, "ts": "2024-12-11T08:00:00Z"}', (1_733_904_000_000_000, 23.4, 192)),
        ('{"v": 23.4, "q": 64}', (NOW_US, 23.4, 64)),
        ('{"v": 23.4, "q": "good"}', (NOW_US, 23.4, 192)),
        ('{"v": 23.4, "q": "uncertain"}', (NOW_US, 23.4, 64)),
        ('{"v": 23.4, "q": "bad"}', (NOW_US, 23.4, 0)),
        ('{"v": 23.4, "unknown": {"is": ["ignored"]}}', (NOW_US, 23.4, 192)),
        ("9007199254740992", (NOW_US, 2**53, 192)),
        ("1e25", (NOW_US, 1e25, 192)),
        ('{"v": 1e25, "ts": 1733904000000}', (TS_MS * 1000, 1e25, 192)),
    ],
)
def test_it_reads_one_value_of_one_sensor(payload: str, expected: tuple) -> None:
    assert decoded(TEMP, payload) == ([(ADDRESS, *expected)], [])


def test_it_reads_many_values_of_one_sensor_in_any_order() -> None:
    samples, rejected = decoded(TEMP, f'[{{"v": 2, "ts": {TS_MS + 1}}}, {{"v": 1, "ts": {TS_MS}, "q": 0}}]')
    assert samples == [(ADDRESS, (TS_MS + 1) * 1000, 2, 192), (ADDRESS, TS_MS * 1000, 1, 0)]
    assert rejected == []


def test_it_reads_several_sensors_of_a_machine() -> None:
    body = f'{{"ts": {TS_MS}, "values": {{"temp": 23.4, "rpm": {{"v": 1480, "q": "uncertain"}}, "state": "running"}}}}'
    samples, rejected = decoded(MACHINE, body)
    assert samples == [
        ("kandy/rolling/roller-2/temp", TS_MS * 1000, 23.4, 192),
        ("kandy/rolling/roller-2/rpm", TS_MS * 1000, 1480, 64),
        ("kandy/rolling/roller-2/state", TS_MS * 1000, "running", 192),
    ]
    assert rejected == []


def test_it_reads_a_list_of_times_of_a_machine() -> None:
    samples, rejected = decoded(MACHINE, f'[{{"ts": {TS_MS}, "values": {{"a": 1}}}}, {{"values": {{"a": 2}}}}]')
    assert [(time_us, value) for _, time_us, value, _ in samples] == [(TS_MS * 1000, 1), (NOW_US, 2)]
    assert rejected == []


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (TEMP, "", Reason.INVALID_JSON),
        (TEMP, "23,4", Reason.INVALID_JSON),
        (TEMP, "{", Reason.INVALID_JSON),
        (TEMP, b"\xff\xfe", Reason.INVALID_JSON),
        (TEMP, b"\xef\xbb\xbf1", Reason.INVALID_JSON),
        (TEMP, '{"value": 1}', Reason.INVALID_JSON),
        (TEMP, "[1]", Reason.INVALID_JSON),
        (MACHINE, "23.4", Reason.INVALID_JSON),
        (MACHINE, '{"temp": 23.4}', Reason.INVALID_JSON),
        (MACHINE, '{"values": [1]}', Reason.INVALID_JSON),
        (TEMP, "NaN", Reason.NOT_FINITE),
        (TEMP, '{"v": -Infinity}', Reason.NOT_FINITE),
        (TEMP, "1e400", Reason.NOT_FINITE),
        (TEMP, "null", Reason.NOT_A_NUMBER),
        (TEMP, '{"v": null}', Reason.NOT_A_NUMBER),
        (TEMP, '{"v": {"x": 1}}', Reason.NOT_A_NUMBER),
        (TEMP, '{"v": [1]}', Reason.NOT_A_NUMBER),
        (TEMP, "9007199254740993", Reason.INTEGER_TOO_LARGE),
        (TEMP, "-9007199254740993", Reason.INTEGER_TOO_LARGE),
        (TEMP, "18446744073709551616", Reason.INTEGER_TOO_LARGE),
        (MACHINE, '{"values": {"a": 123456789012345678901234567890}}', Reason.INTEGER_TOO_LARGE),
        (TEMP, "9" * 5000, Reason.NOT_FINITE),
        (TEMP, '{"v": 1, "q": 256}', Reason.BAD_QUALITY),
        (TEMP, '{"v": 1, "q": -1}', Reason.BAD_QUALITY),
        (TEMP, '{"v": 1, "q": true}', Reason.BAD_QUALITY),
        (TEMP, '{"v": 1, "q": "fine"}', Reason.BAD_QUALITY),
        (TEMP, '{"v": 1, "ts": "yesterday"}', Reason.BAD_TIMESTAMP),
        (TEMP, '{"v": 1, "ts": "2024-12-11T08:00:00"}', Reason.BAD_TIMESTAMP),
        (TEMP, '{"v": 1, "ts": 1733904000000.5}', Reason.BAD_TIMESTAMP),
        (TEMP, '{"v": 1, "ts": true}', Reason.BAD_TIMESTAMP),
        (TEMP, '{"v": 1, "ts": null}', Reason.BAD_TIMESTAMP),
        (MACHINE, '{"ts": "noon", "values": {"a": 1}}', Reason.BAD_TIMESTAMP),
        (TEMP, "[" * 9 + "]" * 9, Reason.INVALID_JSON),
        (TEMP, '{"v": ' + "[" * 9 + "]" * 9 + "}", Reason.TOO_DEEP),
        (TEMP, '{"v": 1, "c": ' + "[" * 9 + "]" * 9 + "}", Reason.TOO_DEEP),
        (MACHINE, '{"values": {"a": 1}, "c": ' + "[" * 9 + "]" * 9 + "}", Reason.TOO_DEEP),
        (TEMP, '{"v": 1, "ts": ' + "[" * 500 + "]" * 500 + "}", Reason.BAD_TIMESTAMP),
        (TEMP, '{"v": 1, "q": ' + "[" * 500 + "]" * 500 + "}", Reason.BAD_QUALITY),
        (TEMP, '{"v": [1.5, 1e30, 123456789012345678901234567890]}', Reason.NOT_A_NUMBER),
        (TEMP, "[" * 3000 + "]" * 3000, Reason.TOO_DEEP),
        (TEMP, b"[" + b" " * MAX_PAYLOAD_BYTES + b"]", Reason.TOO_LARGE),
        ("inqube/v1/kandy/rolling/t", "1", Reason.INVALID_TOPIC),
        ("inqube/v1/Kandy/rolling/roller-2/t/temp", "1", Reason.INVALID_TOPIC),
        ("inqube/v1/kandy//roller-2/t/temp", "1", Reason.INVALID_TOPIC),
        ("inqube/v1/kandy/rolling/roller-2/t/temp/x", "1", Reason.INVALID_TOPIC),
        ("inqube/v2/kandy/rolling/roller-2/t/temp", "1", Reason.INVALID_TOPIC),
    ],
)
def test_it_rejects_with_a_reason(topic: str, payload: str | bytes, reason: Reason) -> None:
    assert decoded(topic, payload) == ([], [reason])


@pytest.mark.parametrize("topic", [TEMP, MACHINE])
def test_it_rejects_more_samples_than_allowed(topic: str) -> None:
    one = {"v": 1} if topic == TEMP else {"values": {"a": 1}}
    assert decoded(topic, orjson.dumps([one] * (MAX_SAMPLES + 1))) == ([], [Reason.TOO_MANY_SAMPLES])
    assert len(decoded(topic, orjson.dumps([one] * MAX_SAMPLES))[0]) == MAX_SAMPLES


def test_it_keeps_good_samples_beside_rejected_ones() -> None:
    samples, rejected = decoded(MACHINE, '{"values": {"a": 1, "b": null, "c": {"v": 2, "q": "?"}, "d": 3.5}}')
    assert [address.rpartition("/")[2] for address, *_ in samples] == ["a", "d"]
    assert rejected == [Reason.NOT_A_NUMBER, Reason.BAD_QUALITY]


def test_it_reads_large_floats_beside_what_it_rejects() -> None:
    body = '{"values": {"a": 1e30, "b": [1.5], "c": {"v": 1, "ts": [123456789012345678901234567890]}}}'
    assert decoded(MACHINE, body) == (
        [("kandy/rolling/roller-2/a", NOW_US, 1e30, 192)],
        [Reason.NOT_A_NUMBER, Reason.BAD_TIMESTAMP],
    )


def test_it_names_the_sensor_and_the_remedy_of_a_rejected_sample() -> None:
    _, rejected = decode(Message(MACHINE, b'{"values": {"temp": {"v": 1, "ts": "2024-12-11T08:00:00"}}}', NOW_US, None))
    assert rejected[0].source == ADDRESS
    assert "add Z or +05:30" in rejected[0].detail


def test_it_says_that_a_device_sends_a_decimal_comma() -> None:
    _, rejected = decode(Message(TEMP, b"23,4", NOW_US, None))
    assert "decimal comma" in rejected[0].detail


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(min_value=2.0**63, allow_infinity=False)
    | st.integers()
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["v", "ts", "q", "values", "a"]), inner)
    ),
    max_leaves=12,
)


@given(st.sampled_from([TEMP, MACHINE]), json_values)
def test_it_turns_any_json_into_samples_or_reasons(topic: str, body: object) -> None:
    samples, rejected = decode(Message(topic, json.dumps(body).encode(), NOW_US, None))
    assert all(isinstance(value, (int, float, str)) and 0 <= quality <= 255 for _, _, value, quality in samples)
    if topic == TEMP and body != []:
        assert samples or rejected


@given(st.text(max_size=40), st.binary(max_size=60))
def test_it_never_raises_for_bytes(topic: str, payload: bytes) -> None:
    for each in (topic, TEMP, MACHINE):
        decode(Message(each, payload, NOW_US, None))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_it_keeps_each_float_exactly(value: float) -> None:
    samples, _ = decoded(TEMP, repr(value))
    assert [sample[2] for sample in samples] == [value]


slugs = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,62}\Z")


@given(slugs, slugs, slugs, slugs)
def test_it_finds_the_address_in_a_topic(plant: str, zone: str, machine: str, sensor: str) -> None:
    assert parse_topic(f"inqube/v1/{plant}/{zone}/{machine}/t") == (f"{plant}/{zone}/{machine}", None)
    assert parse_topic(f"inqube/v1/{plant}/{zone}/{machine}/t/{sensor}") == (f"{plant}/{zone}/{machine}", sensor)


def test_it_allows_the_documented_depth() -> None:
    extra = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert decoded(TEMP, f'{{"v": 1, "a": 2, "b": 3, "c": {extra}}}')[1] == []
