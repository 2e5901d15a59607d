"""Stage 2 of 8 — decode: the bytes of a message into samples. Pure.

One bad sample doesn't spoil its neighbours: what can be read is returned beside what was rejected and why.
The bodies are those of the MQTT interface: on `…/t/{sensor}` a bare value, an object with `v`, or a list of such
objects; on `…/t` an object with `values`, or a list of such objects.
"""

import json
import re
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from plants.scales import BAD, GOOD, UNCERTAIN, microseconds
from telemetry.readings import Message, Reason, Rejected, Sample

MAX_PAYLOAD_BYTES = 256 * 1024
MAX_SAMPLES = 10_000
MAX_DEPTH = 8
MAX_INTEGER = 2**53  # beyond it a float8 no longer holds every integer
INT64_END = 2.0**63  # from here on orjson turns integers into floats without a word

TOPIC = re.compile(
    r"inqube/v1/(?P<machine>(?:[a-z0-9][a-z0-9_-]{0,62}/){2}[a-z0-9][a-z0-9_-]{0,62})/t(?:/(?P<sensor>[^/]+))?"
)
HTTP_TOPIC = "POST /api/v1/telemetry/"  # in the place of a topic: a body of samples that have addresses; no broker's
QUALITY_NAMES = {"good": GOOD, "uncertain": UNCERTAIN, "bad": BAD}
NESTED = f"It is nested deeper than {MAX_DEPTH} levels: send a number, or the flat objects of the MQTT interface."
EXAMPLE = '{"v": 23.4, "ts": 1733904005123}'

Value = float | str


class _RefusedError(Exception):
    """One sample or message that cannot be read; stays inside this module."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail


class _AmbiguousNumberError(Exception):
    """A float so large that orjson may have made it of an integer; stays inside this module."""


class _WrittenAsFloat(float):
    """A number whose JSON text had a point or an exponent."""


@lru_cache(maxsize=65_536)  # a plant's topics repeat for ever; beyond this many, the oldest are parsed again
def parse_topic(topic: str) -> tuple[str, str | None] | None:
    """`inqube/v1/{plant}/{zone}/{machine}/t[/{sensor}]` → ("plant/zone/machine", sensor), or None."""
    match = TOPIC.fullmatch(topic)
    return (match["machine"], match["sensor"]) if match else None


class Plain(NamedTuple):
    """The commonest message of many values, left as it is: good numbers of one moment by slug of the sensor."""

    machine: str  # plant/zone/machine
    time_us: int
    values: dict[str, float]

    def samples(self) -> list[Sample]:
        prefix = self.machine + "/"
        return [(prefix + slug, self.time_us, value, GOOD) for slug, value in self.values.items()]


Decoded = tuple[list[Sample], list[Rejected]]


def decode(message: Message) -> Decoded:
    """All samples of a message, and what of it could not be read. Never raises for bad input."""
    found = take_apart(message)
    return (found.samples(), []) if isinstance(found, Plain) else found


def take_apart(message: Message) -> Plain | Decoded:
    """As `decode`, for who can make readings of many plain values in one go."""
    try:
        parsed = parse_topic(message.topic)
        if parsed is None:
            if message.topic == HTTP_TOPIC:
                return _apart(decode_addressed(message.payload, message.received_us))
            raise _RefusedError(
                Reason.INVALID_TOPIC,
                "The topic is not inqube/v1/{plant}/{zone}/{machine}/t or …/t/{sensor} in lower-case slugs.",
            )
        machine, sensor = parsed
        body = _load(message.payload)
        if sensor is None and (plain := _plain(machine, body, message.received_us)) is not None:
            return plain
        try:
            return _samples(machine, sensor, body, message.received_us)
        except _AmbiguousNumberError:
            return _samples(machine, sensor, _load_exactly(message.payload), message.received_us)
    except _RefusedError as refused:
        return [], [Rejected(message.topic, refused.reason, refused.detail)]


def decode_addressed(payload: bytes, received_us: int) -> list[Sample | Rejected] | Rejected:
    """Of a body `[{"sensor": address, "v": …, "ts": …, "q": …}, …]` each sample, in order, or why it cannot be read.

    Rejected alone where that is the whole body. An address may be any text. Never raises for bad input.
    """
    try:
        body = _load(payload)
        try:
            return _addressed_samples(body, received_us)
        except _AmbiguousNumberError:
            return _addressed_samples(_load_exactly(payload), received_us)
    except _RefusedError as refused:
        return Rejected("", refused.reason, refused.detail)


def _apart(decoded: list[Sample | Rejected] | Rejected) -> tuple[list[Sample], list[Rejected]]:
    if isinstance(decoded, Rejected):
        return [], [decoded]
    rejected = [each for each in decoded if isinstance(each, Rejected)]
    return [each for each in decoded if not isinstance(each, Rejected)], rejected


def _plain(machine: str, body: Any, received_us: int) -> Plain | None:
    """None for what has to be looked at value by value."""
    if type(body) is not dict or len(body) > 1 + ("ts" in body):
        return None
    values, ts = body.get("values"), body.get("ts", 0)
    if type(values) is not dict or not 0 < len(values) <= MAX_SAMPLES or type(ts) is not int:
        return None
    kinds = set(map(type, values.values()))
    if not kinds <= {float, int}:
        return None
    end = (
        INT64_END if kinds == {float} else MAX_INTEGER
    )  # ints up to it are exact; which of them are floats is no matter
    if min(values.values()) <= -end or max(values.values()) >= end:
        return None
    return Plain(machine, ts * 1000 if "ts" in body else received_us, values)


def _samples(machine: str, sensor: str | None, body: Any, received_us: int) -> tuple[list[Sample], list[Rejected]]:
    if sensor is None:
        return _machine_samples(machine, body, received_us)
    address = f"{machine}/{sensor}"
    # The commonest messages of all, without a call: a bare number, and one with its time.
    if type(body) is float and -INT64_END < body < INT64_END:
        return [(address, received_us, body, GOOD)], []
    if type(body) is dict and len(body) == 2:
        value, ts = body.get("v"), body.get("ts")
        if type(value) is float and -INT64_END < value < INT64_END and type(ts) is int:
            return [(address, ts * 1000, value, GOOD)], []
    if type(body) is list:
        return _listed_samples(address, body, received_us)
    return [_sample(address, body, received_us)], []


def _load(payload: bytes) -> Any:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise _RefusedError(
            Reason.TOO_LARGE,
            f"The message has {len(payload):,} bytes; {MAX_PAYLOAD_BYTES:,} are allowed. Send smaller ones.",
        )
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise _not_json(payload, error) from None


def _load_exactly(payload: bytes) -> Any:
    """The same JSON by the slower parser, which keeps integers of any size apart from floats."""
    try:
        return json.loads(payload, parse_float=_WrittenAsFloat)
    except ValueError:  # an integer of thousands of digits
        raise _RefusedError(Reason.INTEGER_TOO_LARGE, "An integer is far beyond 2^53: send a float.") from None
    except RecursionError:
        raise _RefusedError(Reason.TOO_DEEP, NESTED) from None


def _not_json(payload: bytes, error: ValueError) -> _RefusedError:
    text = payload[:200].strip()
    if text.lstrip(b"+-").lower() in (b"nan", b"inf", b"infinity"):
        return _RefusedError(
            Reason.NOT_FINITE, f"The value is {text.decode()}: send only finite numbers, with q for quality."
        )
    if re.fullmatch(rb"[+-]?\d+,\d+", text):
        return _RefusedError(
            Reason.INVALID_JSON,
            f"The value is {text.decode()}: the device sends a decimal comma. Send a point.",
        )
    if "infinity" in str(error) or re.search(rb"[\[:,\s]-?(NaN|Infinity)\b", payload):
        return _RefusedError(
            Reason.NOT_FINITE,
            "The message holds a number that is not finite: send only finite numbers, with q for quality.",
        )
    if _nesting(payload) > MAX_DEPTH:
        return _RefusedError(Reason.TOO_DEEP, NESTED)
    return _RefusedError(
        Reason.INVALID_JSON,
        f"The message is not JSON in UTF-8: {error}. Send a number, or an object such as {EXAMPLE}.",
    )


def _nesting(payload: bytes) -> int:
    """How deep brackets nest, at most; strings with brackets make it larger, which only changes a reason."""
    depth = deepest = 0
    for byte in payload:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _listed_samples(address: str, items: list[Any], received_us: int) -> tuple[list[Sample], list[Rejected]]:
    _check_count(len(items))
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    for item in items:
        try:
            if type(item) is not dict:
                raise _RefusedError(
                    Reason.INVALID_JSON, 'An item of a list must be an object such as {"v": 23.4, "ts": …}.'
                )
            samples.append(_sample(address, item, received_us))
        except _RefusedError as refused:
            rejected.append(Rejected(address, refused.reason, refused.detail))
    return samples, rejected


def _addressed_samples(items: Any, received_us: int) -> list[Sample | Rejected]:
    if type(items) is not list:
        raise _RefusedError(
            Reason.INVALID_JSON,
            'The body must be a list such as [{"sensor": "plant/zone/machine/sensor", "v": 23.4, "ts": …}].',
        )
    _check_count(len(items))
    found: list[Sample | Rejected] = []
    for item in items:
        address = item.get("sensor") if type(item) is dict else None
        try:
            if type(address) is not str:
                raise _RefusedError(
                    Reason.INVALID_JSON,
                    'An item must be an object such as {"sensor": "plant/zone/machine/sensor", "v": 23.4, "ts": …}.',
                )
            found.append(_sample(address, item, received_us))
        except _RefusedError as refused:
            found.append(Rejected(address if type(address) is str else "", refused.reason, refused.detail))
    return found


def _machine_samples(machine: str, body: Any, received_us: int) -> tuple[list[Sample], list[Rejected]]:
    items = body if type(body) is list else [body]
    count = 0
    for item in items:
        values = item.get("values") if type(item) is dict else None
        if type(values) is not dict:
            raise _RefusedError(
                Reason.INVALID_JSON,
                'A message on …/t must be {"ts": …, "values": {"sensor": value, …}} or a list of such.',
            )
        count += len(values)
    _check_count(count)
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    prefix = machine + "/"
    for item in items:
        values = item["values"]
        try:
            if len(item) > 1 + ("ts" in item):
                _check_extras(item, ("ts", "values"))
            time_us = _time_us(item["ts"]) if "ts" in item else received_us
        except _RefusedError as refused:
            rejected.extend(Rejected(prefix + name, refused.reason, refused.detail) for name in values)
            continue
        for name, value in values.items():
            # The common case first and without a call: a plain float.
            if type(value) is float and -INT64_END < value < INT64_END:
                samples.append((prefix + name, time_us, value, GOOD))
                continue
            try:
                samples.append(_sample(prefix + name, value, time_us))
            except _RefusedError as refused:
                rejected.append(Rejected(prefix + name, refused.reason, refused.detail))
    return samples, rejected


def _sample(address: str, body: Any, time_us: int) -> Sample:
    """A value, or an object with `v` and perhaps `ts` and `q`, as a sample."""
    if type(body) is not dict:
        return address, time_us, _value(body), GOOD
    if "v" not in body:
        raise _RefusedError(
            Reason.INVALID_JSON, 'The object has no "v". It must look like {"v": 23.4, "ts": …, "q": …}.'
        )
    if len(body) > 1 + ("ts" in body) + ("q" in body):
        _check_extras(body, ("v", "ts", "q"))
    if "ts" in body:
        time_us = _time_us(body["ts"])
    quality = _quality(body["q"]) if "q" in body else GOOD
    return address, time_us, _value(body["v"]), quality


def _value(value: Any) -> Value:
    kind = type(value)
    if kind is float:
        if not -INT64_END < value < INT64_END:
            raise _AmbiguousNumberError
        return value
    if kind is _WrittenAsFloat:
        return float(value)
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise _RefusedError(
                Reason.INTEGER_TOO_LARGE,
                f"The integer {value} is beyond 2^53: a float8 cannot hold it exactly. Send a float, such as 1e30.",
            )
        return value
    if kind is bool:
        return 1.0 if value else 0.0
    if kind is str:
        return value
    if _depth(value) > MAX_DEPTH:
        raise _RefusedError(Reason.TOO_DEEP, NESTED)
    shown = _shown(value)
    raise _RefusedError(Reason.NOT_A_NUMBER, f"The value is {shown}: send a number, true or false, or a state's label.")


def _time_us(ts: Any) -> int:
    """Milliseconds since 1970 UTC, or an ISO 8601 string with offset, as microseconds since 1970 UTC."""
    if type(ts) is int:
        return ts * 1000
    if type(ts) is str:
        try:
            moment = datetime.fromisoformat(ts)
        except ValueError:
            raise _RefusedError(
                Reason.BAD_TIMESTAMP, f"ts is {ts[:60]!r}: send ISO 8601 such as 2026-01-31T08:00:00Z, or milliseconds."
            ) from None
        if moment.tzinfo is None:
            raise _RefusedError(Reason.BAD_TIMESTAMP, f"ts is {ts!r}, without an offset: add Z or +05:30.")
        return microseconds(moment)
    shown = _shown(ts)
    raise _RefusedError(
        Reason.BAD_TIMESTAMP,
        f"ts is {shown}: send integer milliseconds since 1970 UTC, or ISO 8601 with an offset.",
    )


def _quality(q: Any) -> int:
    if type(q) is int and 0 <= q <= 255:
        return q
    if type(q) is str and q in QUALITY_NAMES:
        return QUALITY_NAMES[q]
    shown = _shown(q)
    raise _RefusedError(Reason.BAD_QUALITY, f'q is {shown}: send 0 to 255 (OPC DA), "good", "uncertain" or "bad".')


def _shown(value: Any) -> str:
    """What a message held, short enough for a sentence."""
    try:
        return json.dumps(value, ensure_ascii=False)[:60]
    except RecursionError:
        return "nested too deeply to show"


def _check_count(count: int) -> None:
    if count > MAX_SAMPLES:
        raise _RefusedError(
            Reason.TOO_MANY_SAMPLES,
            f"The message has {count:,} samples; {MAX_SAMPLES:,} are allowed. Send several messages.",
        )


def _check_extras(item: dict[str, Any], known: tuple[str, ...]) -> None:
    """Fields that InQube doesn't know are ignored, unless they are an attack on its depth."""
    for name, value in item.items():
        if name not in known and _depth(value) > MAX_DEPTH:
            raise _RefusedError(Reason.TOO_DEEP, f"The field {name[:60]!r} is nested deeper than {MAX_DEPTH} levels.")


def _depth(value: Any) -> int:
    """Levels of nesting of a decoded value, 0 for a scalar; stops counting just past the limit."""
    level = [value]
    depth = 0
    while depth <= MAX_DEPTH:
        inner: list[Any] = []
        for node in level:
            if type(node) is dict:
                inner.extend(node.values())
            elif type(node) is list:
                inner.extend(node)
        if not any(type(node) in (dict, list) for node in level):
            return depth
        level = inner
        depth += 1
    return depth
