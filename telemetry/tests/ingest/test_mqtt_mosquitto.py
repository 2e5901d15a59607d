"""Receive from a real Mosquitto, whose session outlives ours."""

import asyncio
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.servers import mosquitto
from inqube import embedded
from telemetry.tests.ingest.receiving import Inbox, broker_at, receiving, until

TOPIC = "inqube/v1/kandy/rolling/roller-2/t/temp"


@pytest.mark.mosquitto
async def test_it_gets_from_mosquitto_what_was_published_while_it_was_away(tmp_path: Path) -> None:
    port = embedded.free_port()
    with embedded.running(mosquitto(tmp_path, port), tmp_path / "mosquitto.log"):
        async with receiving(broker_at(port), Inbox()) as receiver:
            await until(lambda: receiver.is_connected)
        await asyncio.to_thread(publish_with_paho, port, 3000)
        inbox = Inbox()
        async with receiving(broker_at(port), inbox) as receiver:
            await inbox.wait(3000)
            receiver.acknowledge([message.token for message in inbox if message.token is not None])
            await receiver.disconnect()
        assert [message.payload for message in inbox] == [b"%d" % number for number in range(3000)]
        again = Inbox()
        async with receiving(broker_at(port), again) as receiver:
            await until(lambda: receiver.is_connected)
            await asyncio.sleep(0.3)
        assert again == []


@pytest.mark.mosquitto
async def test_it_knows_what_mosquitto_delivers_again(tmp_path: Path) -> None:
    """Dead letters are kept once by it: the same packet id, and the mark."""
    port = embedded.free_port()
    with embedded.running(mosquitto(tmp_path, port), tmp_path / "mosquitto.log"):
        first, second = Inbox(), Inbox()
        async with receiving(broker_at(port), first) as receiver:
            await until(lambda: receiver.is_connected)
            await asyncio.to_thread(publish_with_paho, port, 3)
            await first.wait(3)
        async with receiving(broker_at(port), second):
            await second.wait(3)
    assert [message.is_repeated for message in [*first, *second]] == [False] * 3 + [True] * 3
    tokens = [[message.token.packet_id for message in inbox if message.token] for inbox in (first, second)]
    assert tokens[0] == tokens[1]


@pytest.mark.mosquitto
async def test_it_gets_what_it_subscribed_to_later_and_no_longer_what_it_left(tmp_path: Path) -> None:
    port = embedded.free_port()
    with embedded.running(mosquitto(tmp_path, port), tmp_path / "mosquitto.log"):
        inbox = Inbox()
        async with receiving(broker_at(port), inbox) as receiver:
            receiver.subscribe_to(["inqube/v1/rotterdam/+/+/t/+"])
            await until(lambda: receiver.is_subscribed)
            await asyncio.to_thread(publish_with_paho, port, 1)
            receiver.subscribe_to(["inqube/v1/kandy/+/+/t/+"])
            await until(lambda: receiver.is_subscribed)
            await asyncio.to_thread(publish_with_paho, port, 2)
            await inbox.wait(2)
            receiver.subscribe_to([])
            await until(lambda: receiver.is_subscribed)
            await asyncio.to_thread(publish_with_paho, port, 3)
            await asyncio.sleep(0.3)
    assert [message.payload for message in inbox] == [b"0", b"1"]


def publish_with_paho(port: int, count: int) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for info in [client.publish(TOPIC, b"%d" % number, qos=1) for number in range(count)]:
        info.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()
