"""Frames: what clients may say."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.live.frames import Ack, Auth, Invalid, Ping, Resume, Subscribe, Unsubscribe, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type": "subscribe", "plant": "kandy"}', Subscribe("kandy", None, 2.0)),
        ('{"type": "subscribe", "plant": "kandy", "sensors": null, "max_hz": 5}', Subscribe("kandy", None, 5.0)),
        (
            '{"type": "subscribe", "plant": "kandy", "sensors": [17, 18], "resume": {"epoch": "e", "seq": 41}}',
            Subscribe("kandy", frozenset({17, 18}), 2.0, Resume("e", 41)),
        ),
        ('{"type": "unsubscribe", "plant": "kandy"}', Unsubscribe("kandy")),
        ('{"type": "ack", "plant": "kandy", "seq": 42}', Ack("kandy", 42)),
        ('{"type": "auth", "access_token": "abc"}', Auth("abc")),
        ('{"type": "ping"}', Ping()),
    ],
)
def test_it_understands_the_contract(text: str, expected: object) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "{}",
        '{"type": "dance"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "plant": 7}',
        '{"type": "subscribe", "plant": "kandy", "sensors": "all"}',
        '{"type": "subscribe", "plant": "kandy", "sensors": [1.5]}',
        '{"type": "subscribe", "plant": "kandy", "sensors": [true]}',
        '{"type": "subscribe", "plant": "kandy", "max_hz": 0}',
        '{"type": "subscribe", "plant": "kandy", "max_hz": 1000}',
        '{"type": "subscribe", "plant": "kandy", "max_hz": true}',
        '{"type": "subscribe", "plant": "kandy", "resume": 41}',
        '{"type": "subscribe", "plant": "kandy", "resume": {"epoch": "e"}}',
        '{"type": "ack", "plant": "kandy", "seq": "42"}',
    ],
)
def test_it_says_that_anything_else_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


@given(st.text() | st.binary())
def test_it_never_fails_otherwise(text: str | bytes) -> None:
    with contextlib.suppress(Invalid):
        assert isinstance(parse(text), tuple)
