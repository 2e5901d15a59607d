import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.payloads import MAX_HEX_BYTES, shown

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_it_indents_json() -> None:
    payload = b'{"ts":1,"values":{"temp":{"v":23.40,"q":"bad"},"none":{},"list":[1,[]]}}'
    assert shown(payload).text == (
        '{\n  "ts": 1,\n  "values": {\n    "temp": {\n      "v": 23.40,\n      "q": "bad"\n    },\n'
        '    "none": {},\n    "list": [\n      1,\n      []\n    ]\n  }\n}'
    )


@given(JSON)
def test_it_shows_the_same_json(value: object) -> None:
    text = json.dumps(value)
    assert json.loads(shown(text.encode()).text) == value


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[1.50, 1e400, 12345678901234567890]", r'["\" [ { , : \\"]'])
def test_it_keeps_every_token(text: str) -> None:
    assert "".join(shown(text.encode()).text.split()) == "".join(text.split())


@pytest.mark.parametrize("payload", [b"23,4", b"temp=20 \xc2\xb0C", b"[" * 60_000 + b"]" * 60_000])
def test_it_shows_other_text_as_it_is(payload: bytes) -> None:
    assert shown(payload).text == payload.decode()


@pytest.mark.parametrize("payload", [b"\xff\x01", b"a\x00b", b"\x1b[31m"])
def test_it_shows_the_rest_as_hex(payload: bytes) -> None:
    assert shown(payload).kind == "hex"
    assert payload.hex(" ") in shown(payload).text


def test_it_says_how_much_hex_it_leaves_out() -> None:
    found = shown(b"\xff" * (MAX_HEX_BYTES + 5))
    assert (len(found.text.splitlines()), found.cut) == (MAX_HEX_BYTES // 16, 5)


def test_it_knows_that_a_beginning_may_end_within_a_character() -> None:
    beginning = "at 20 °".encode()[:-1]
    assert shown(beginning, is_truncated=True).text == "at 20 "
    assert shown(beginning).kind == "hex"
