"""Stage 8 of 8 — publish: the newest readings of what was committed, one frame per plant and tick.

Best effort: the readings are stored, so a failure here is logged and the next frame goes on.
"""

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

import structlog
from channels.layers import get_channel_layer

from telemetry.live.frames import Frame, Row, group, to_layer
from telemetry.readings import Reading

TICK_S = 0.25
BEAT_S = 3.0  # a plant that has nothing new gets an empty frame so often: a page that hears none is not live
SEND_WITHIN_S = 2.0  # a channel layer that hangs must not hold up the next tick for long

log = structlog.get_logger("inqube.live.publish")


class LivePublisher:
    """Collects what is new and sends it every tick. Holds at most one row per sensor, whatever the rate."""

    def __init__(self, *, leads: bool = True) -> None:
        self._leads = leads  # False beside ingest, which gives the numbers that clients count by
        self.epoch = secrets.token_hex(8)
        self._seq: defaultdict[UUID, int] = defaultdict(int)
        self._pending: defaultdict[UUID, dict[int, Row]] = defaultdict(dict)
        self._sent_at: dict[UUID, float] = {}  # per plant, by a monotonic clock
        self._layer = get_channel_layer()

    def follow(self, plants: Iterable[UUID]) -> None:
        """Says which plants there are: they hear that the feed lives also while they have nothing new."""
        self._sent_at = {plant_id: self._sent_at.get(plant_id, -BEAT_S) for plant_id in plants}

    def offer(self, newest: Iterable[Reading], plant_of: Mapping[int, UUID]) -> None:
        """Takes readings that are their sensors' latest, in order of commit."""
        for sensor, time_us, value, quality in newest:
            plant_id = plant_of.get(sensor)
            if plant_id is not None:  # None: the sensor was deleted meanwhile
                self._pending[plant_id][sensor] = [sensor, time_us // 1000, value, quality]

    async def run(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self.flush()

    async def flush(self) -> None:
        """Sends what is pending now, and an empty frame where nothing has been for a while."""
        pending, self._pending = self._pending, defaultdict(dict)
        now = time.monotonic()
        quiet = [plant_id for plant_id, sent_at in self._sent_at.items() if now - sent_at >= BEAT_S]
        for plant_id in {*pending, *quiet}:
            self._sent_at[plant_id] = now
            rows = pending.get(plant_id, {})
            self._seq[plant_id] += 1
            frame = Frame(plant_id, self.epoch, self._seq[plant_id], list(rows.values()), self._leads)
            try:
                async with asyncio.timeout(SEND_WITHIN_S):
                    await self._layer.group_send(group(plant_id), to_layer(frame))
            except Exception as error:  # whatever the channel layer's backend raises
                log.warning("frame not sent", plant=str(plant_id), seq=frame.seq, error=repr(error))
