"""Fields of a file's records into samples, by the same rules as messages: they are given to decode as such. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import orjson

from telemetry.ingest.decode import decode
from telemetry.readings import Message, Reason, Rejected, Sample

MESSAGE_ROWS = 1000  # decoded at once where all are well; about 60 KB
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")  # as spreadsheets and people write it too
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
NOT_AN_ADDRESS = "The address is not plant/zone/machine/sensor in lower-case slugs."

Fields = dict[str, Any]  # of CSV all texts, of NDJSON any JSON; address, timestamp, value, perhaps quality count


def samples(rows: Sequence[Fields], now_us: int) -> list[Sample | Rejected]:
    """A sample, or why there is none, for each row."""
    found: list[Sample | Rejected] = []
    for address, run in groupby(rows, key=lambda row: row.get("address")):
        items = [_item(row) for row in run]
        for begin in range(0, len(items), MESSAGE_ROWS):
            found.extend(_decoded(address, items[begin : begin + MESSAGE_ROWS], now_us))
    return found


def _decoded(address: Any, items: list[bytes], now_us: int) -> Iterator[Sample | Rejected]:
    """Decode doesn't say which sample of a message it refused; only then each is decoded alone."""
    machine, _, sensor = str(address).rpartition("/")
    topic = f"inqube/v1/{machine}/t/{sensor}"
    well, rejected = decode(Message(topic, b"[%s]" % b",".join(items), now_us, None))
    if not rejected:
        yield from well
        return
    for item in items:
        well, rejected = decode(Message(topic, item, now_us, None))
        if rejected and rejected[0].reason == Reason.INVALID_TOPIC:
            yield Rejected(str(address), Reason.INVALID_TOPIC, NOT_AN_ADDRESS)
        else:
            yield rejected[0] if rejected else well[0]


def _item(row: Fields) -> bytes:
    """The row as the object that a device would send: `{"v": …, "ts": …, "q": …}`."""
    item = b'{"v":%s,"ts":%s' % (_value(row.get("value")), _time(row.get("timestamp")))
    quality = row.get("quality")
    if quality is None or quality == "":
        return item + b"}"
    number = isinstance(quality, str) and quality.isascii() and quality.isdecimal() and len(quality) < 4
    return item + b',"q":%s}' % orjson.dumps(int(quality) if number else quality)


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        text = value.strip()
        if JSON_NUMBER.fullmatch(text):
            return text.encode()
        if NUMBER.fullmatch(text):
            return _value(float(text))
        if NOT_FINITE.fullmatch(text):
            return b"NaN"
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):  # of a text such as +1e999
        return b"NaN"
    return orjson.dumps(value)


def _time(timestamp: Any) -> bytes:
    if isinstance(timestamp, str):
        timestamp = timestamp.strip()
        if timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 18:
            return b"%d" % int(timestamp)
    return orjson.dumps(timestamp)
