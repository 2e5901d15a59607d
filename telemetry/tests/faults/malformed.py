"""Messages that hold no reading: a corpus, what hypothesis makes, and good messages damaged on the way."""

import json
import random
from collections.abc import Sequence
from itertools import chain

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from plants.models import Sensor
from telemetry.ingest.decode import decode
from telemetry.readings import Message
from telemetry.tests.faults.plan import Planned, machine_topic, sensor_topic

CORPUS = [
    b"",
    b"{",
    b"23,4",
    b"\xff\xfe",
    b"\xef\xbb\xbf1",
    b"NaN",
    b"1e400",
    b"null",
    b"[1]",
    b'{"value": 1}',
    b'{"v": null}',
    b'{"v": 1, "q": 256}',
    b'{"v": 1, "ts": "yesterday"}',
    b'{"v": 1, "ts": "2024-12-11T08:00:00"}',
    b'{"v": 9007199254740993}',
    b'{"v": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    b"[" + b" " * 300_000 + b"]",
    b'{"values": [1]}',
    b'{"values": {"s0": {"v": "\\u0000"}}, "ts": "noon"}',
    "“23.4”".encode(),
]
FIELDS = st.sampled_from(["v", "ts", "q", "values", "x"])

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner),
    max_leaves=8,
)
texts = st.text(max_size=60) | json_values.map(json.dumps)
payloads = st.binary(max_size=60) | texts.map(str.encode)


def generated(count: int) -> list[bytes]:
    """The same ones each time."""
    made: list[bytes] = []

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(payloads)
    def collect(payload: bytes) -> None:
        made.append(payload)

    collect()
    return made


def damaged(rng: random.Random) -> bytes:
    """A good message, cut off or with some bytes changed."""
    body = {"v": rng.uniform(-99, 99), "ts": rng.randrange(10**13), "q": rng.randrange(256)}
    payload = bytearray(json.dumps(body).encode())
    if rng.random() < 0.3:
        del payload[rng.randrange(len(payload)) :]
    else:
        for _ in range(rng.randrange(1, 4)):
            payload[rng.randrange(len(payload))] = rng.randrange(256)
    return bytes(payload)


def malformed(sensors: Sequence[Sensor], count: int, rng: random.Random) -> list[Planned]:
    """So many messages of which nothing can be read, and why; that is what `decode` says of each alone."""
    plan: list[Planned] = []
    candidates = chain(CORPUS, generated(count // 10), iter(lambda: damaged(rng), None))
    while len(plan) < count:
        sensor, payload = rng.choice(sensors), next(candidates)
        topic = rng.choice([sensor_topic(sensor), machine_topic(sensor)])
        samples, rejected = decode(Message(topic, payload, 0, None))
        if not samples and rejected:
            plan.append(Planned(topic, payload, (), frozenset(each.reason for each in rejected)))
    return plan


def rejections(plan: Sequence[Planned]) -> int:
    """How many samples, or whole messages, of malformed ones are rejected."""
    return sum(len(decode(Message(each.topic, each.payload, 0, None))[1]) for each in plan)
