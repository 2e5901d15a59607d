"""What ingest learns on other connections, so that a broker which refuses it does not end the session."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from plants.broker_address import Broker
from telemetry.ingest.mqtt import Receiver
from telemetry.ingest.subscriptions import Subscriptions
from telemetry.readings import Message

DROPPED = "$SYS/broker/publish/messages/dropped"  # Mosquitto's and EMQX's; retained, sent when it changes
GIVE_UP_AFTER = 3  # connections that the broker ended because we asked
LOOK_EVERY_S = 1.0

log = structlog.get_logger("inqube.ingest")


async def follow_drops(broker: Broker, client_id: str, report: Callable[[int], None]) -> None:
    """Reports the broker's count of messages it threw away whenever it changes, until cancelled or refused."""

    def take(messages: list[Message]) -> None:
        for message in messages:
            with contextlib.suppress(ValueError):
                report(int(message.payload))

    wanted = Subscriptions([DROPPED], at_most_once=True, retained=True, optional=True)
    receiver = Receiver(broker, f"{client_id}-dropped", take, subscriptions=wanted, lasting=False)
    running = asyncio.create_task(receiver.run())
    try:
        while receiver.barren < GIVE_UP_AFTER and not running.done():
            await asyncio.wait([running], timeout=LOOK_EVERY_S)
        log.info("the broker does not tell what it throws away", filter=DROPPED)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
