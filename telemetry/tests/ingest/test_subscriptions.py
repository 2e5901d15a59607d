"""Subscriptions: what is wanted is asked for until it is granted, and the rest let go."""

import mqtt5
import pytest

from telemetry.ingest.subscriptions import ASK_AGAIN_S, FILTERS_A_PACKET, Subscriptions

GRANTED = mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE
NO = mqtt5.SubAckReasonCode.NOT_AUTHORIZED


def asked(subscriptions: Subscriptions, now: float) -> list[mqtt5.Packet]:
    data = memoryview(subscriptions.ask(now))
    packets = []
    while data:
        packet, size = mqtt5.read(data)
        packets.append(packet)
        data = data[size:]
    return packets


def patterns(packets: list[mqtt5.Packet]) -> list[str]:
    return [
        each.pattern for packet in packets if isinstance(packet, mqtt5.SubscribePacket) for each in packet.topic_filters
    ]


def answer(subscriptions: Subscriptions, packets: list[mqtt5.Packet], refused: str = "") -> None:
    for packet in packets:
        if isinstance(packet, mqtt5.SubscribePacket):
            codes = [NO if each.pattern == refused else GRANTED for each in packet.topic_filters]
            subscriptions.hear(mqtt5.SubAckPacket(packet.packet_id, codes))
        elif isinstance(packet, mqtt5.UnsubscribePacket):
            codes_ = [mqtt5.UnsubAckReasonCode.SUCCESS] * len(packet.patterns)
            subscriptions.hear(mqtt5.UnsubAckPacket(packet.packet_id, codes_))


def test_it_asks_for_everything_on_every_connection() -> None:
    subscriptions = Subscriptions(["a", "b"])
    for now in (0, 1):
        subscriptions.connected()
        assert not subscriptions.is_settled
        packets = asked(subscriptions, now)
        assert patterns(packets) == ["a", "b"]
        answer(subscriptions, packets)
        assert subscriptions.is_settled
        assert asked(subscriptions, now) == []


def test_it_asks_in_packets_of_bounded_size() -> None:
    wanted = [f"plant-{number}" for number in range(2 * FILTERS_A_PACKET + 1)]
    packets = asked(Subscriptions(wanted), 0)
    assert patterns(packets) == wanted
    assert len({packet.packet_id for packet in packets if isinstance(packet, mqtt5.SubscribePacket)}) == 3


def test_it_asks_again_for_what_is_refused_alone(caplog: pytest.LogCaptureFixture) -> None:
    subscriptions = Subscriptions(["a", "b", "c"])
    answer(subscriptions, asked(subscriptions, 0), refused="b")
    assert subscriptions.granted == {"a", "c"}
    assert "the broker refused a subscription" in caplog.text
    assert asked(subscriptions, ASK_AGAIN_S - 1) == []
    again = asked(subscriptions, ASK_AGAIN_S)
    assert patterns(again) == ["b"]
    answer(subscriptions, again)
    assert subscriptions.is_settled


def test_it_asks_again_where_the_broker_says_nothing() -> None:
    subscriptions = Subscriptions(["a"])
    asked(subscriptions, 0)
    assert patterns(asked(subscriptions, ASK_AGAIN_S)) == ["a"]


def test_it_subscribes_to_what_is_new_and_unsubscribes_what_is_gone() -> None:
    subscriptions = Subscriptions(["a", "b"])
    answer(subscriptions, asked(subscriptions, 0))
    subscriptions.want(["b", "c"])
    packets = asked(subscriptions, 0)
    assert patterns(packets) == ["c"]
    assert [packet.patterns for packet in packets if isinstance(packet, mqtt5.UnsubscribePacket)] == [["a"]]
    answer(subscriptions, packets)
    assert subscriptions.granted == {"b", "c"}
    assert subscriptions.is_settled


def test_it_unsubscribes_after_a_reconnect_what_went_while_it_was_away() -> None:
    subscriptions = Subscriptions(["a", "b"])
    answer(subscriptions, asked(subscriptions, 0))
    subscriptions.want(["b"])
    asked(subscriptions, 0)  # and the connection breaks before the answer
    subscriptions.connected()
    packets = asked(subscriptions, 0)
    assert [packet.patterns for packet in packets if isinstance(packet, mqtt5.UnsubscribePacket)] == [["a"]]


def test_it_subscribes_at_once_to_what_comes_back() -> None:
    subscriptions = Subscriptions(["a"])
    answer(subscriptions, asked(subscriptions, 0))
    subscriptions.want([])
    asked(subscriptions, 0)
    subscriptions.want(["a"])
    assert patterns(asked(subscriptions, 0)) == ["a"]
