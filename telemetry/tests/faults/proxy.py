"""The network between a client and its server: a TCP proxy that watches what MQTT says, and fails on demand."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import mqtt5

from inqube import embedded
from telemetry.ingest.mqtt import packet_size

CHUNK = 65_536
CONNECT, PUBLISH, PUBACK = 1, 3, 4
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: closing sends RST


class Wire:
    """One connection: how often each packet id was delivered to a client, and acknowledged by it."""

    def __init__(self) -> None:
        self.client_id: str | None = None
        self.delivered: Counter[int] = Counter()
        self.acknowledged: Counter[int] = Counter()

    @property
    def stale(self) -> Counter[int]:
        """Packet ids that were acknowledged more often than this connection delivered them."""
        return self.acknowledged - self.delivered

    def note(self, packet: bytes) -> None:
        kind, body = packet[0] >> 4, packet[_header(packet) :]
        if kind == CONNECT:
            connect = mqtt5.read(memoryview(packet))[0]
            assert isinstance(connect, mqtt5.ConnectPacket)
            self.client_id = connect.client_id
        elif kind == PUBACK:
            self.acknowledged[int.from_bytes(body[:2])] += 1
        elif kind == PUBLISH and packet[0] & 0x06:  # of QoS 0 there is no packet id
            after_topic = 2 + int.from_bytes(body[:2])
            self.delivered[int.from_bytes(body[after_topic : after_topic + 2])] += 1


def _header(packet: bytes) -> int:
    """Bytes of the fixed header: a type, and a length whose last byte is below 128."""
    return next(position for position, byte in enumerate(packet[1:5], 2) if byte < 0x80)


class Proxy:
    """Forwards to the broker's port. Methods change the connections that there are, attributes also later ones.

    Args:
        client_id: whose connections are watched; ingest has others, too. None: there is no broker behind it, and what
            goes over the wire is not read as MQTT, since it would break off where it isn't.
    """

    def __init__(self, broker_port: int, client_id: str | None) -> None:
        self.port = embedded.free_port()
        self.chunk = CHUNK  # bytes at most that go on at once
        self.pause_s = 0.0  # between two chunks
        self.speaks_mqtt = client_id is not None
        self.holds_acknowledgements = False  # nothing that ingest sends goes on: a broker never sees it
        self._broker_port = broker_port
        self._client_id = client_id
        self._wires: list[Wire] = []
        self._links: set[_Link] = set()
        self.loop = asyncio.new_event_loop()

    @property
    def url(self) -> str:
        return f"mqtt://{embedded.LOOPBACK}:{self.port}"

    @property
    def wires(self) -> list[Wire]:
        """The connections of the session, in order."""
        return [wire for wire in self._wires if wire.client_id == self._client_id]

    def cut(self) -> None:
        """Resets every connection in the middle of the next packet to ingest."""
        self._for_each(lambda link: setattr(link, "cuts", True))

    def swallow(self) -> None:
        """Every connection stays open, and nothing goes through it any more."""
        self._for_each(lambda link: setattr(link, "swallows", True))

    def _for_each(self, do: Callable[["_Link"], None]) -> None:
        done = threading.Event()

        def run() -> None:
            for link in self._links:
                do(link)
            done.set()

        self.loop.call_soon_threadsafe(run)
        assert done.wait(5)

    async def serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._accept, embedded.LOOPBACK, self.port)
        ready.set()
        async with server:
            await server.serve_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection(embedded.LOOPBACK, self._broker_port)
        except OSError:
            writer.transport.abort()
            return
        wire = Wire()
        self._wires.append(wire)
        link = _Link(self, wire)
        self._links.add(link)
        with contextlib.suppress(asyncio.CancelledError):  # at the end of the test
            await link.run((reader, writer), upstream)
        self._links.discard(link)


class _Link:
    def __init__(self, proxy: Proxy, wire: Wire) -> None:
        self.cuts = False
        self.swallows = False
        self._proxy = proxy
        self._wire = wire

    async def run(
        self,
        ingest: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        broker: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        ways = [
            asyncio.create_task(self._carry(broker[0], ingest[1], to_ingest=True)),
            asyncio.create_task(self._carry(ingest[0], broker[1], to_ingest=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if self.swallows:  # the end of the broker's side, too
                await asyncio.wait(ways)
        finally:
            for way in ways:
                way.cancel()
            for _, writer in (ingest, broker):
                reset(writer)
            await asyncio.gather(*ways, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_ingest: bool) -> None:
        """Until the reader's side ends, or the link is cut."""
        rest = bytearray()
        with contextlib.suppress(OSError):
            while data := await reader.read(self._proxy.chunk):
                if self.swallows:
                    continue
                if cuts := self.cuts and to_ingest:
                    data = data[:-1]
                if self._proxy.speaks_mqtt:
                    rest += data
                    for packet in _whole_packets(rest):
                        self._wire.note(packet)
                if not to_ingest and self._proxy.holds_acknowledgements:
                    continue
                writer.write(data)
                await writer.drain()
                if cuts and (rest or not self._proxy.speaks_mqtt):  # else it would not be in the middle of a packet
                    await asyncio.sleep(0.05)
                    return
                if self._proxy.pause_s:
                    await asyncio.sleep(self._proxy.pause_s)


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection without the goodbye of TCP."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


def _whole_packets(data: bytearray) -> Iterator[bytes]:
    """Takes whole packets from the beginning."""
    while len(data) >= 2 and (size := packet_size(data)) <= len(data):
        yield bytes(data[:size])
        del data[:size]


@contextmanager
def proxy_to(broker_port: int, client_id: str | None) -> Iterator[Proxy]:
    """A proxy in a thread of its own."""
    proxy = Proxy(broker_port, client_id)
    ready = threading.Event()
    tasks: list[asyncio.Task[None]] = []

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        with contextlib.suppress(asyncio.CancelledError):
            await proxy.serve(ready)

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: proxy.loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(10)
        yield proxy
    finally:
        proxy.loop.call_soon_threadsafe(tasks[0].cancel)
        thread.join(10)
