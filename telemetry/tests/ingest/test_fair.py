"""Fair shares: a flood delays itself, and acknowledgements keep their order."""

from hypothesis import given
from hypothesis import strategies as st

from telemetry.ingest.fair import BURST_S, SOURCES, TURN_BYTES, Order, Rates, Waiting
from telemetry.readings import Message, Token


def message(payload: bytes = b"1", number: int = 0) -> Message:
    return Message("", payload, number, Token(1, number))


def drained(waiting: Waiting) -> list[Message]:
    taken = []
    while waiting:
        taken.append(waiting.take())
    return taken


def test_it_takes_from_each_source_in_turn() -> None:
    waiting = Waiting()
    flood = [message(number=number) for number in range(1000)]
    for each in flood:
        waiting.put("flood", each)
    quiet = message(number=5000)
    waiting.put("quiet", quiet)
    place = drained(waiting).index(quiet)
    assert place <= TURN_BYTES // 100


def test_it_gives_large_messages_no_larger_share() -> None:
    waiting = Waiting()
    for number in range(50):
        waiting.put("large", message(b"x" * 10 * TURN_BYTES, number))
    for number in range(1000):
        waiting.put("small", message(b"1", number))
    taken = drained(waiting)
    large_before_last_small = sum(len(each.payload) > 1 for each in taken[: taken.index(message(b"1", 999))])
    small_bytes = 1000 * 101
    assert large_before_last_small <= small_bytes // (10 * TURN_BYTES) + 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3 * TURN_BYTES)), max_size=60))
def test_it_loses_nothing_and_keeps_the_order_of_each_source(arrivals: list[tuple[str, int]]) -> None:
    waiting = Waiting()
    put: dict[str, list[Message]] = {"a": [], "b": [], "c": []}
    for number, (source, size) in enumerate(arrivals):
        put[source].append(message(b"x" * size, number))
        waiting.put(source, put[source][-1])
    taken = drained(waiting)
    assert waiting.bytes == 0
    for messages in put.values():
        assert [each for each in taken if each in messages] == messages


@given(st.permutations(range(12)), st.integers(1, 12))
def test_it_acknowledges_in_the_order_of_receipt(order: list[int], at_once: int) -> None:
    acknowledgements = Order()
    for number in range(12):
        acknowledgements.received(Token(1, number))
    sent: list[Token] = []
    due: set[int] = set()
    for begin in range(0, 12, at_once):
        part = order[begin : begin + at_once]
        sent += acknowledgements.due([Token(1, number) for number in part])
        due |= set(part)
        assert {token.packet_id for token in sent} <= due
    assert [token.packet_id for token in sent] == list(range(12))


def test_it_lets_a_source_send_what_it_kept_while_it_was_away() -> None:
    rates = Rates(5)
    assert sum(rates.allows("kandy/a/b", 100.0) for _ in range(1000)) == 5 * BURST_S


def test_it_lets_a_source_go_on_at_its_rate_and_others_as_they_like() -> None:
    rates = Rates(5)
    for _ in range(1000):
        rates.allows("kandy/a/b", 100.0)
    assert sum(rates.allows("kandy/a/b", 102.0) for _ in range(1000)) == 10
    assert rates.allows("kandy/c/d", 102.0)


def test_it_follows_no_more_sources_than_it_can_hold() -> None:
    rates = Rates(1)
    for number in range(SOURCES * 2 + 1):
        rates.allows(str(number), 0.0)
    assert len(rates._left) <= SOURCES
