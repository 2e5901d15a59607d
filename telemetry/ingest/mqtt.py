"""Stage 1 of 8 — receive: an MQTT 5 session that outlives its connections.

No file but this one and subscriptions.py knows MQTT.

Rules from the MQTT 5 specification that the guarantees rest on:

- With `clean_start` off and a session expiry the broker keeps what it could not deliver while we were away, and
  delivers again what we did not acknowledge (4.1, 4.4).
- A packet id means something only on the connection that delivered it: the broker may use it anew afterwards. So
  every token carries the epoch of its connection, and an older one is never acknowledged (2.2.1).
- Acknowledgements go out in the order in which the messages came (4.6).
- The broker sends at most `receive_max` unacknowledged messages: that bounds our memory (4.9).
"""

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import cast

import mqtt5
import numpy as np
import structlog

from plants.broker_address import Broker, tls_context
from telemetry.ingest.subscriptions import Subscriptions
from telemetry.readings import Message, Token

# Four full batches of single-reading messages may be on their way; beyond about that throughput no longer grows.
RECEIVE_MAXIMUM = 20_000
KEEP_ALIVE_S = 30
ASK_EVERY_S = 5.0  # for subscriptions that the broker has not granted
SESSION_EXPIRY_S = 7 * 86_400  # how long a broker keeps messages for an ingest that is down
CONNECT_TIMEOUT_S = 10
GOODBYE_TIMEOUT_S = 5
SHORTEST_RETRY_S = 0.25
HELD_S = 30.0
LONGEST_RETRY_S = 15
ACKNOWLEDGEMENT = np.dtype([("head", ">u2"), ("packet_id", ">u2")])
PUBACK_HEAD = 0x4002  # PUBACK of two remaining bytes: reason “success” is implied (3.4.2.1)

log = structlog.get_logger("inqube.ingest.mqtt")


class BrokerRefusedError(Exception):
    """The broker answered, and said no."""


class Receiver:
    """Keeps one session with the broker, hands its messages on, and acknowledges them when told to.

    Args:
        on_messages: called in the event loop with the messages of one read of the socket, in order.
        tls: the TLS context for `mqtts://`; by default the one of the settings.
        subscriptions: what to subscribe to; by default the readings of all plants.
        lasting: whether the session outlives its connections.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        on_messages: Callable[[list[Message]], None],
        tls: ssl.SSLContext | None = None,
        subscriptions: Subscriptions | None = None,
        *,
        lasting: bool = True,
    ) -> None:
        self.broker = broker
        self.client_id = client_id
        self.tls = tls
        self.received = 0
        self.unacknowledged = 0  # on the present connection
        self.subscriptions = subscriptions or Subscriptions()
        self.lasting = lasting
        self.barren = 0  # connections in a row that the broker ended before it had granted anything
        self.on_open: Callable[[bool], None] = lambda session_present: None
        self.until_ours: Callable[[], Awaitable[object]] | None = None  # awaited after another process took the session
        self._on_messages = on_messages
        self._connection: _Connection | None = None
        self._epoch = 0
        self._paused = False
        self._is_leaving = False

    async def run(self) -> None:
        """Connects, and connects again whenever the connection ends, until told to disconnect."""
        failures = 0
        while not self._is_leaving:
            started = time.monotonic()
            try:
                await self._connect()
                assert self._connection is not None
                while not self._connection.closed.done():
                    self._connection.write(self.subscriptions.ask(time.monotonic()))
                    await asyncio.wait([self._connection.closed], timeout=ASK_EVERY_S)
                if self._is_leaving:
                    return
                log.warning("broker connection lost", client_id=self.client_id, reason=self._connection.why_closed)
                self.barren = 0 if self.subscriptions.granted else self.barren + 1
                if self._connection.was_taken_over and self.until_ours is not None:
                    await self.until_ours()
            except (OSError, TimeoutError, BrokerRefusedError, ssl.SSLError) as error:
                log.warning(
                    "broker not reached", host=self.broker.host, port=self.broker.port, error=str(error) or "no answer"
                )
            finally:
                if self._connection is not None:
                    self._connection.abort("closed here")
                    self._connection = None
            # A connection that held is no failure; one that ends at once is, also where the broker let us in.
            failures = 1 if time.monotonic() - started > HELD_S else min(failures + 1, 16)
            # Jitter: after a broker's restart its clients don't all come back in the same moment.
            ceiling = min(LONGEST_RETRY_S, SHORTEST_RETRY_S * 2**failures)
            await asyncio.sleep(random.uniform(SHORTEST_RETRY_S, ceiling))

    async def _connect(self) -> None:
        self._epoch += 1
        epoch = self._epoch
        context = (self.tls or tls_context()) if self.broker.tls else None
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(epoch, self._deliver, self.subscriptions),
                self.broker.host,
                self.broker.port,
                ssl=context,
            )
            self._connection = connection
            self.unacknowledged = 0
            session_present = await connection.open(
                mqtt5.ConnectPacket(
                    self.client_id,
                    username=self.broker.username,
                    password=self.broker.password.encode() if self.broker.password is not None else None,
                    clean_start=not self.lasting,
                    keep_alive=KEEP_ALIVE_S,
                    session_expiry_interval=SESSION_EXPIRY_S if self.lasting else 0,
                    receive_max=RECEIVE_MAXIMUM,
                )
            )
        if self._paused:
            connection.pause()
        self.on_open(session_present)
        if self.lasting:
            log.info(
                "broker connected",
                host=self.broker.host,
                port=self.broker.port,
                client_id=self.client_id,
                session_present=session_present,
            )

    @property
    def is_connected(self) -> bool:
        return self._connection is not None and self._connection.is_open

    @property
    def is_subscribed(self) -> bool:
        """Whether the broker has granted on the present connection all that is wanted, and nothing else."""
        return self.is_connected and self.subscriptions.is_settled

    def subscribe_to(self, filters: Iterable[str]) -> None:
        """Subscribes to what is new among the filters, and no longer to what is not among them."""
        self.subscriptions.want(filters)
        self._ask()

    def leave(self, filters: Iterable[str]) -> None:
        """Unsubscribes what the session may have from an earlier process, where it is not wanted."""
        self.subscriptions.leave(filters)
        self._ask()

    def _ask(self) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.write(self.subscriptions.ask(time.monotonic()))

    def _deliver(self, messages: list[Message]) -> None:
        self.received += len(messages)
        self.unacknowledged += sum(message.token is not None for message in messages)
        self._on_messages(messages)

    def acknowledge(self, tokens: Sequence[Token]) -> None:
        """Sends the acknowledgements of these messages in one write, but for those of older connections."""
        connection = self._connection
        if connection is None or not connection.is_open:
            return
        packet_ids = [token.packet_id for token in tokens if token.epoch == connection.epoch]
        if not packet_ids:
            return
        packets = np.empty(len(packet_ids), ACKNOWLEDGEMENT)
        packets["head"] = PUBACK_HEAD
        packets["packet_id"] = packet_ids
        connection.write(packets.tobytes())
        self.unacknowledged -= len(packet_ids)

    def pause(self) -> None:
        """Stops reading the socket; the broker's writes then wait in TCP."""
        self._paused = True
        if self._connection is not None:
            self._connection.pause()

    def resume(self) -> None:
        self._paused = False
        if self._connection is not None:
            self._connection.resume()

    async def disconnect(self, *, for_good: bool = False) -> None:
        """Says goodbye so that the broker keeps the session, or for good so that it ends it; and stays away.

        The broker closes the connection when it has read the goodbye, and so has read all acknowledgements before
        it. A connection closed by us, or taken over by the next process, might have lost the last of them.
        """
        self._is_leaving = True
        if self._connection is not None and self._connection.is_open:
            self._connection.resume()
            self._connection.say_goodbye(for_good=for_good)
            await asyncio.wait([self._connection.closed], timeout=GOODBYE_TIMEOUT_S)


def packet_size(beginning: bytes | bytearray) -> int:
    """The size of a whole packet by its fixed header (2.1.4); one byte more than there is where that is cut off.

    Reading a large packet anew at each piece that arrives would cost the square of its size.
    """
    remaining = shift = 0
    for position, byte in enumerate(beginning[1:5], 2):
        remaining |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return position + remaining
        shift += 7
    return len(beginning) + 1


class _Connection(asyncio.Protocol):
    """One TCP or TLS connection: bytes to packets, keep-alive, and the opening handshake."""

    def __init__(self, epoch: int, deliver: Callable[[list[Message]], None], subscriptions: Subscriptions) -> None:
        self.epoch = epoch
        self.is_open = False
        self.why_closed = "closed by the broker"
        self.was_taken_over = False
        loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._opened: asyncio.Future[bool] = loop.create_future()
        self._deliver = deliver
        self._subscriptions = subscriptions
        self._transport: asyncio.Transport | None = None
        self._rest = bytearray()  # an incomplete packet; bounded by the broker's largest message
        self._wanted = 0  # bytes at which the incomplete packet will be whole
        self._keep_alive_s: float = KEEP_ALIVE_S
        self._heard_at = time.monotonic()
        self._is_paused = False
        self._pinger: asyncio.Task[None] | None = None

    async def open(self, connect: mqtt5.ConnectPacket) -> bool:
        """Signs in; True where the broker still had our session."""
        self.write(connect.write())
        return await self._opened

    # --- the transport's side -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if error is not None:
            self.why_closed = str(error)
        if self._pinger is not None:
            self._pinger.cancel()
        if not self._opened.done():
            self._opened.set_exception(BrokerRefusedError(self.why_closed))
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._heard_at = time.monotonic()
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return
            data = bytes(self._rest)
            self._rest.clear()
        messages: list[Message] = []
        received_us = time.time_ns() // 1000
        view = memoryview(data)
        position, end = 0, len(data)
        try:
            while position < end:
                packet, size = mqtt5.read(view[position:])
                position += size
                if type(packet) is mqtt5.PublishPacket:
                    token = None if packet.packet_id is None else Token(self.epoch, packet.packet_id)
                    flags = packet.duplicate, packet.retain
                    messages.append(Message(packet.topic, packet.payload, received_us, token, *flags))
                else:
                    self._handle(packet)
        except IndexError:  # the rest of this packet is still on its way
            self._rest += view[position:]
            self._wanted = packet_size(self._rest)
        except ValueError as error:
            self.abort(f"the broker sent what is not MQTT 5: {error}")
        if messages:
            self._deliver(messages)

    def _handle(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.ConnAckPacket():
                if packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
                    self.abort(f"the broker refused us: {packet.reason_code.name.lower().replace('_', ' ')}")
                    return
                if packet.server_keep_alive is not None:
                    self._keep_alive_s = packet.server_keep_alive
                # From here on, not from the SUBACK: a resumed session delivers at once, and a broker may wait for
                # those acknowledgements before it looks at our SUBSCRIBE.
                self.is_open = True
                self._pinger = asyncio.create_task(self._keep_alive())
                self._subscriptions.connected()
                self.write(self._subscriptions.ask(time.monotonic()))
                if not self._opened.done():
                    self._opened.set_result(packet.session_present)
            case mqtt5.SubAckPacket() | mqtt5.UnsubAckPacket():
                self._subscriptions.hear(packet)
            case mqtt5.DisconnectPacket():
                self.was_taken_over = packet.reason_code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
                self.abort(f"the broker said goodbye: {packet.reason_code.name.lower().replace('_', ' ')}")

    # --- our side -----------------------------------------------------------------------------------------

    async def _keep_alive(self) -> None:
        """Pings while the broker is quiet, and gives up when it does not answer."""
        if not self._keep_alive_s:
            return
        while True:
            await asyncio.sleep(self._keep_alive_s / 2)
            self.write(mqtt5.PingReqPacket().write())
            # While we don't read, silence is our own doing.
            if not self._is_paused and time.monotonic() - self._heard_at > self._keep_alive_s * 1.5:
                self.abort("the broker does not answer")

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def pause(self) -> None:
        if self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and self._is_paused:
            self._is_paused = False
            self._heard_at = time.monotonic()
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def say_goodbye(self, *, for_good: bool) -> None:
        self.write(mqtt5.DisconnectPacket(session_expiry_interval=0 if for_good else None).write())

    def abort(self, why: str) -> None:
        if self.closed.done():
            return
        self.why_closed = why
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()
