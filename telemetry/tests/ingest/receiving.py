"""A receiver under test, and what it delivered."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from plants.broker_address import Broker
from telemetry.ingest.mqtt import Receiver
from telemetry.readings import Message, Token


class Inbox(list[Message]):
    """What a receiver delivered."""

    async def wait(self, count: int) -> list[Token]:
        async with asyncio.timeout(10):
            while len(self) < count:
                await asyncio.sleep(0.005)
        return [message.token for message in self if message.token is not None]


def broker_at(port: int, *, tls: bool = False) -> Broker:
    return Broker("127.0.0.1", port, tls, None, None)


@asynccontextmanager
async def receiving(
    broker: Broker, inbox: Inbox, tls: ssl.SSLContext | None = None, client_id: str = "under-test"
) -> AsyncIterator[Receiver]:
    receiver = Receiver(broker, client_id, inbox.extend, tls)
    running = asyncio.create_task(receiver.run())
    try:
        yield receiver
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)
