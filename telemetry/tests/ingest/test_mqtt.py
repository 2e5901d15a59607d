"""Receive: the session's promises, towards a broker that does what the test says."""

import asyncio

import mqtt5
import pytest

from telemetry.ingest.mqtt import RECEIVE_MAXIMUM, packet_size
from telemetry.tests.ingest.receiving import Inbox, broker_at, receiving, until
from telemetry.tests.ingest.scripted_broker import publish, scripted_broker

TOPIC = "inqube/v1/kandy/rolling/roller-2/t/temp"


async def test_it_asks_for_a_session_that_outlives_connections() -> None:
    async with scripted_broker() as broker, receiving(broker_at(broker.port), Inbox()):
        connect, subscribe = await (await broker.next_link()).welcome()
    assert (connect.client_id, connect.clean_start) == ("under-test", False)
    assert connect.session_expiry_interval > 86_400
    assert connect.receive_max == RECEIVE_MAXIMUM
    assert [each.pattern for each in subscribe.topic_filters] == ["inqube/v1/+/+/+/t", "inqube/v1/+/+/+/t/+"]
    assert all(each.max_qos == mqtt5.QoS.AT_LEAST_ONCE for each in subscribe.topic_filters)
    assert all(each.retain_handling == mqtt5.RetainHandling.SEND_NEVER for each in subscribe.topic_filters)


async def test_it_acknowledges_when_told_and_in_order() -> None:
    inbox = Inbox()
    async with scripted_broker() as broker, receiving(broker_at(broker.port), inbox) as receiver:
        link = await broker.next_link()
        await link.welcome()
        await link.say(*(publish(packet_id) for packet_id in (7, 3, 9)))
        tokens = await inbox.wait(3)
        assert receiver.unacknowledged == 3
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await link.hear()
        receiver.acknowledge(tokens)
        assert await link.hear_acknowledgements(3) == [7, 3, 9]
        assert receiver.unacknowledged == 0


async def test_it_never_acknowledges_what_an_older_connection_delivered() -> None:
    inbox = Inbox()
    async with scripted_broker() as broker, receiving(broker_at(broker.port), inbox) as receiver:
        first = await broker.next_link()
        await first.welcome()
        await first.say(publish(1), publish(2))
        old = await inbox.wait(2)
        first.drop()
        second = await broker.next_link()
        await second.welcome(session_present=True)
        await second.say(publish(2))
        new = (await inbox.wait(3))[2:]
        receiver.acknowledge(old + new)
        assert await second.hear_acknowledgements(1) == [2]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await second.hear()


async def test_it_acknowledges_a_resumed_session_before_the_subscription_is_granted() -> None:
    inbox = Inbox()
    async with scripted_broker() as broker, receiving(broker_at(broker.port), inbox) as receiver:
        link = await broker.next_link()
        assert isinstance(await link.hear(), mqtt5.ConnectPacket)
        await link.say(mqtt5.ConnAckPacket(session_present=True), publish(5))
        assert isinstance(await link.hear(), mqtt5.SubscribePacket)
        receiver.acknowledge(await inbox.wait(1))
        assert await link.hear_acknowledgements(1) == [5]


async def test_it_puts_packets_together_from_any_pieces() -> None:
    inbox = Inbox()
    async with scripted_broker() as broker, receiving(broker_at(broker.port), inbox):
        link = await broker.next_link()
        await link.welcome()
        data = b"".join(publish(number, b"x" * number).write() for number in range(1, 12))
        for byte in data:
            await link.say_bytes(bytes([byte]))
        await inbox.wait(11)
    assert [message.payload for message in inbox] == [b"x" * number for number in range(1, 12)]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 300_000])
def test_it_knows_the_size_of_a_packet_by_its_beginning(size: int) -> None:
    packet = publish(1, b"x" * size).write()
    assert packet_size(packet[:5]) == len(packet)
    assert packet_size(packet[:1]) == 2


async def test_it_delivers_messages_that_need_no_acknowledgement() -> None:
    inbox = Inbox()
    async with scripted_broker() as broker, receiving(broker_at(broker.port), inbox):
        link = await broker.next_link()
        await link.welcome()
        await link.say(mqtt5.PublishPacket(TOPIC, b"1"))
        assert await inbox.wait(1) == []


async def test_it_gives_up_a_broker_that_does_not_answer() -> None:
    async with scripted_broker() as broker, receiving(broker_at(broker.port), Inbox()):
        silent = await broker.next_link()
        await silent.welcome(server_keep_alive=1)
        assert isinstance(await silent.hear(), mqtt5.PingReqPacket)
        await (await broker.next_link()).welcome()


async def test_it_keeps_a_broker_that_answers() -> None:
    async with scripted_broker() as broker, receiving(broker_at(broker.port), Inbox()) as receiver:
        link = await broker.next_link()
        await link.welcome(server_keep_alive=1)
        for _ in range(6):
            assert isinstance(await link.hear(), mqtt5.PingReqPacket)
            await link.say(mqtt5.PingRespPacket())
        assert receiver.is_connected


async def test_it_comes_back_after_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    async with scripted_broker() as broker, receiving(broker_at(broker.port), Inbox()):
        link = await broker.next_link()
        await link.hear()
        await link.say(mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.NOT_AUTHORIZED))
        await (await broker.next_link()).welcome()
    assert "the broker refused us: not authorized" in caplog.text


async def test_it_comes_back_after_what_is_not_mqtt(caplog: pytest.LogCaptureFixture) -> None:
    async with scripted_broker() as broker, receiving(broker_at(broker.port), Inbox()):
        link = await broker.next_link()
        await link.welcome()
        await link.say_bytes(b"\x00\x00HTTP/1.1 400 Bad Request")
        await (await broker.next_link()).welcome()
    assert "what is not MQTT 5" in caplog.text


async def test_it_tells_whether_the_broker_still_had_the_session() -> None:
    opened: list[bool] = []
    async with scripted_broker() as broker, receiving(broker_at(broker.port), Inbox()) as receiver:
        receiver.on_open = opened.append
        first = await broker.next_link()
        await first.welcome()
        first.drop()
        await (await broker.next_link()).welcome(session_present=True)
        await until(lambda: opened == [False, True])


async def test_it_comes_back_after_another_took_the_session_only_when_it_may() -> None:
    may = asyncio.Event()
    async with scripted_broker() as broker, receiving(broker_at(broker.port), Inbox()) as receiver:
        receiver.until_ours = may.wait
        link = await broker.next_link()
        await link.welcome()
        await link.say(mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(broker.next_link(), 1.5)
        may.set()
        await (await broker.next_link()).welcome()


async def test_it_ends_the_session_when_it_says_goodbye_for_good() -> None:
    async with scripted_broker() as broker, receiving(broker_at(broker.port), Inbox()) as receiver:
        link = await broker.next_link()
        await link.welcome()
        await until(lambda: receiver.is_subscribed)
        leaving = asyncio.create_task(receiver.disconnect(for_good=True))
        goodbye = await link.hear()
        assert isinstance(goodbye, mqtt5.DisconnectPacket)
        assert goodbye.session_expiry_interval == 0
        link.drop()
        await leaving


async def test_it_stops_reading_while_paused() -> None:
    inbox = Inbox()
    async with scripted_broker() as broker, receiving(broker_at(broker.port), inbox) as receiver:
        link = await broker.next_link()
        await link.welcome()
        await until(lambda: receiver.is_connected)
        receiver.pause()
        await link.say(publish(1))
        await asyncio.sleep(0.2)
        assert inbox == []
        receiver.resume()
        await inbox.wait(1)


async def test_it_says_goodbye_after_the_last_acknowledgement() -> None:
    inbox = Inbox()
    async with scripted_broker() as broker, receiving(broker_at(broker.port), inbox) as receiver:
        link = await broker.next_link()
        await link.welcome()
        await link.say(publish(1))
        receiver.acknowledge(await inbox.wait(1))
        leaving = asyncio.create_task(receiver.disconnect())
        assert isinstance(await link.hear(), mqtt5.PubAckPacket)
        goodbye = await link.hear()
        assert isinstance(goodbye, mqtt5.DisconnectPacket)
        assert goodbye.reason_code == mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION
        assert not leaving.done()  # until the broker has read all and closes
        link.drop()
        await leaving
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(broker.next_link(), 1)  # and it stays away
