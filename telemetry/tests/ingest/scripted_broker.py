"""A broker that does what a test says, and remembers what it was sent; for what a real one cannot be made to do."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import mqtt5


class Link:
    """One client's connection, seen from the broker."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._data = b""

    async def hear(self) -> mqtt5.Packet:
        """The client's next packet; ConnectionError where it went away."""
        while True:
            try:
                packet, size = mqtt5.read(memoryview(self._data))
            except IndexError:
                received = await asyncio.wait_for(self._reader.read(65_536), 5)
                if not received:
                    raise ConnectionError("the client closed") from None
                self._data += received
            else:
                self._data = self._data[size:]
                return packet

    async def hear_acknowledgements(self, count: int) -> list[int]:
        packets = [await self.hear() for _ in range(count)]
        return [packet.packet_id for packet in packets if isinstance(packet, mqtt5.PubAckPacket)]

    async def say(self, *packets: mqtt5.Packet) -> None:
        await self.say_bytes(b"".join(packet.write() for packet in packets))

    async def say_bytes(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def welcome(
        self, *, session_present: bool = False, server_keep_alive: int | None = None
    ) -> tuple[mqtt5.ConnectPacket, mqtt5.SubscribePacket]:
        """Accepts the client and its subscriptions."""
        connect = await self.hear()
        assert isinstance(connect, mqtt5.ConnectPacket)
        await self.say(mqtt5.ConnAckPacket(session_present=session_present, server_keep_alive=server_keep_alive))
        subscribe = await self.hear()
        assert isinstance(subscribe, mqtt5.SubscribePacket)
        granted = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * len(subscribe.topic_filters)
        await self.say(mqtt5.SubAckPacket(subscribe.packet_id, granted))
        return connect, subscribe

    def drop(self) -> None:
        """Breaks the connection without a word."""
        self._writer.transport.abort()


class ScriptedBroker:
    def __init__(self, port: int, links: "asyncio.Queue[Link]") -> None:
        self.port = port
        self._links = links

    async def next_link(self) -> Link:
        return await asyncio.wait_for(self._links.get(), 5)


@asynccontextmanager
async def scripted_broker(tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedBroker]:
    links: asyncio.Queue[Link] = asyncio.Queue()
    opened: list[Link] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer)
        opened.append(link)
        await links.put(link)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield ScriptedBroker(server.sockets[0].getsockname()[1], links)
    finally:
        for link in opened:
            link.drop()
        server.close()


def publish(
    packet_id: int, payload: bytes = b"1", topic: str = "inqube/v1/kandy/rolling/roller-2/t/temp"
) -> mqtt5.PublishPacket:
    return mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id)
