"""What ingest learns on other connections, so that a broker which refuses it does not end the session."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from django.db import DatabaseError, connections

from plants.broker_address import Broker
from plants.models.devices import Device, Heard
from telemetry.ingest import status
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


async def follow_devices(broker: Broker, client_id: str) -> None:
    """Keeps what devices say of themselves, until cancelled; while the database is away, the newest of each waits."""
    statuses = status.Statuses()

    def take(messages: list[Message]) -> None:
        for message in messages:
            statuses.hear(message)

    wanted = Subscriptions([status.TOPIC_FILTER], at_most_once=True, retained=True)
    receiver = Receiver(broker, f"{client_id}-status", take, subscriptions=wanted, lasting=False)
    running = asyncio.create_task(receiver.run())
    try:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if statuses.refused:
                log.warning("messages on $status topics that say nothing of a device", count=statuses.refused)
                statuses.refused = 0
            heard = statuses.take()
            if heard and not await asyncio.to_thread(_note, heard):
                statuses.give_back(heard)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _note(heard: list[Heard]) -> bool:
    try:
        Device.objects.all().note(heard)
    except DatabaseError as error:
        log.warning("status of devices not kept yet", devices=len(heard), error=str(error).strip())
        return False
    finally:
        connections.close_all()
    return True
