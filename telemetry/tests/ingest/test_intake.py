"""Intake: what comes in while the database is slow waits in turn, and what is too much is refused in order."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ingest import intake as intake_module
from telemetry.ingest.batch import Batch
from telemetry.ingest.decode import decode
from telemetry.ingest.fair import BURST_S, Rates
from telemetry.ingest.intake import FULL_BATCHES, Intake
from telemetry.ingest.letters import Quota
from telemetry.ingest.resolve import Directory
from telemetry.readings import KnownSensor, Message, Token

PLANT = UUID(int=1)
NOW_US = 1_790_000_000_000_000
LETTERS = 5
TOPIC = "inqube/v1/kandy/line/m/t"


def intake(per_second: int = 0, readings: int = 10) -> Intake:
    made = Intake(readings, 90, Quota(LETTERS), Rates(per_second))
    sensors = {f"kandy/line/{name}/t": KnownSensor(n, PLANT, True, {}) for n, name in enumerate(("loud", "quiet"), 1)}
    made.directory = Directory(sensors, {"kandy": PLANT})
    return made


def message(machine: str, number: int) -> Message:
    return Message(f"inqube/v1/kandy/line/{machine}/t/t", b"%d" % number, NOW_US + number, Token(1, number))


VALUES = st.dictionaries(
    st.sampled_from(["a", "b", "off", "state", "ghost"]),
    st.floats(allow_nan=False)
    | st.integers(-(2**65), 2**65)
    | st.booleans()
    | st.none()
    | st.sampled_from(["on", "x"]),
    max_size=4,
)
MOMENTS = st.sampled_from([{}, {"ts": NOW_US // 1000}, {"ts": 0}, {"ts": None}, {"ts": 2**62}, {"more": 1}])


@given(st.lists(st.tuples(MOMENTS, VALUES), min_size=1, max_size=3))
def test_it_takes_many_values_in_one_go_as_it_takes_each(bodies: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    messages = [Message(TOPIC, json.dumps({**ts, "values": values}).encode(), NOW_US, None) for ts, values in bodies]

    def taken() -> tuple[Any, ...]:
        made = Intake(1000, 90, Quota(LETTERS), Rates(0))
        names = {"a": (1, True), "b": (2, True), "off": (3, False), "state": (4, True)}
        sensors = {
            f"kandy/line/m/{name}": KnownSensor(number, PLANT, is_active, {"on": 1.0} if name == "state" else {})
            for name, (number, is_active) in names.items()
        }
        made.directory = Directory(sensors, {"kandy": PLANT})
        made.take(messages, 0.0)
        batch = made.turn()
        return list(batch.readings), batch.rejected, batch.receipts, batch.unknown

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake_module, "take_apart", decode)
        one_by_one = taken()
    assert taken() == one_by_one


def packet_ids(tokens: list[Token]) -> list[int]:
    return [token.packet_id for token in tokens]


def sensors_of(batch: Batch) -> list[int]:
    return [reading[0] for reading in batch.readings]


def flooded(made: Intake, messages: int) -> None:
    for number in range(1, messages + 1):
        made.take([message("loud", number)], 0.0)


def test_it_lets_others_pass_a_flood() -> None:
    made = intake(readings=50)
    flooded(made, 20 * FULL_BATCHES * 50)
    made.take([message("quiet", 9999)], 0.0)
    made.turn()
    made.refill(0.0)
    assert 2 in sensors_of(made.batch)


def test_it_bounds_a_batch_and_loses_nothing() -> None:
    made = intake()
    flooded(made, 95)
    sizes = []
    while made.batch.messages:
        sizes.append(len(made.turn().readings))
        made.refill(0.0)
    assert sum(sizes) == 95
    assert max(sizes) == FULL_BATCHES * 10


def test_it_acknowledges_in_order_of_receipt_what_has_overtaken_others() -> None:
    made = intake()
    flooded(made, 200)
    made.take([message("quiet", 201)], 0.0)
    acknowledged: list[int] = []
    while made.batch.messages:
        batch = made.turn()
        made.refill(0.0)
        acknowledged += packet_ids(made.due(batch))
    assert acknowledged == list(range(1, 202))


def test_it_keeps_the_order_of_a_source_when_the_flood_is_over() -> None:
    made = intake()
    flooded(made, 45)
    first = made.turn()
    made.refill(0.0)
    made.take([message("loud", 46)], 0.0)
    values = [reading[2] for batch in (first, made.turn()) for reading in batch.readings]
    assert values == [float(number) for number in range(1, 47)]


def test_it_refuses_what_is_beyond_a_sources_rate_and_keeps_a_sample() -> None:
    made = intake(per_second=2, readings=50)
    flooded(made, 100)
    made.take([message("quiet", 101)], 0.0)
    batch = made.turn()
    allowed = 2 * BURST_S
    assert sensors_of(batch) == [1] * allowed + [2]
    assert len(batch.letters) == LETTERS
    assert "more than 2 messages a second" in batch.letters[0].detail
    assert sum(received for _, received, _, _ in batch.receipts) == 101
    assert sum(dead for _, _, _, dead in batch.receipts) == 100 - allowed
    assert packet_ids(made.due(batch)) == list(range(1, 102))


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_it_acknowledges_in_order_what_it_refuses_between_what_it_takes(at_once: int) -> None:
    made = intake(per_second=2)
    arrivals = [message("loud" if number % 3 else "quiet", number) for number in range(1, 101)]
    acknowledged: list[int] = []
    for begin in range(0, 100, at_once):
        made.take(arrivals[begin : begin + at_once], 0.0)
        acknowledged += packet_ids(made.due(made.turn()))
    assert acknowledged == list(range(1, 101))
