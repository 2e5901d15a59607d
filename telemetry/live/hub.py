"""The one place of a web process where a plant's frames arrive, and the subscriptions they are merged into."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from channels.layers import get_channel_layer

from telemetry.live.frames import Frame, Row, from_layer, group

# With this many deltas unacknowledged the server only merges: the socket's buffers never grow beyond them.
MAX_UNACKNOWLEDGED = 2
BEAT_S = 3.0  # a socket for which nothing is new hears so often that the feed lives
SNAPSHOT_EVERY_S = 1.0  # of a plant on a socket, however often it subscribes anew: a snapshot is large
RETRY_AFTER_S = 1.0

log = structlog.get_logger("inqube.live.hub")


class Pace:
    """What one socket has been sent of one plant; it outlives subscriptions, or each would begin with two frames."""

    def __init__(self) -> None:
        self.sent_at = -BEAT_S  # by the loop's clock: when the last frame went out
        self.unacknowledged: list[int] = []  # sequence numbers, oldest first

    def acknowledge(self, seq: int) -> bool:
        """All frames up to this one have been seen; False if none such is on its way."""
        if seq not in self.unacknowledged:
            return False
        last = len(self.unacknowledged) - 1 - self.unacknowledged[::-1].index(seq)  # two may share a number
        del self.unacknowledged[: last + 1]
        return True


class Subscription:
    """What one socket wants of one plant, and what it has not been sent yet: at most one row per sensor."""

    def __init__(
        self,
        plant_id: UUID,
        slug: str,
        sensors: frozenset[int] | None,
        max_hz: float,
        wake: Callable[[], None],
        pace: Pace | None = None,
    ) -> None:
        self.plant_id = plant_id
        self.slug = slug
        self.sensors = sensors
        self.interval_s = 1 / max_hz
        self.epoch = ""
        self.seq = 0
        self.needs_snapshot = True
        self.pace = pace or Pace()
        self.pending: dict[int, Row] = {}
        self._lives = False  # a frame has come since then
        self._wake = wake

    def merge(self, frame: Frame, *, follows: bool) -> bool:
        """Takes a frame. Where it does not follow the one before, some were lost: only a snapshot is right then.

        True where an earlier one still waits, with which it goes out.
        """
        is_merged = self._lives
        if not follows:
            self.needs_snapshot = True
        self.epoch, self.seq = frame.epoch, frame.seq
        for row in frame.rows:
            if self.sensors is None or row[0] in self.sensors:
                self.pending[row[0]] = row
        self._lives = True
        self._wake()
        return is_merged

    def due_at(self) -> float | None:
        """When the next frame may go out, by the loop's clock; None while there is none to send."""
        if len(self.pace.unacknowledged) >= MAX_UNACKNOWLEDGED:
            return None
        if self.needs_snapshot:
            return self.pace.sent_at + max(SNAPSHOT_EVERY_S, self.interval_s)
        if self.pending:
            return self.pace.sent_at + self.interval_s
        return self.pace.sent_at + max(BEAT_S, self.interval_s) if self._lives else None

    def sent(self, now: float) -> None:
        self.pace.unacknowledged.append(self.seq)
        self._lives = False
        self.pace.sent_at = now

    def acknowledge(self, seq: int) -> None:
        """All frames up to this one have been seen."""
        if self.pace.acknowledge(seq):
            self._wake()

    def take(self) -> list[Row]:
        """What is pending, which is then no longer."""
        rows = list(self.pending.values())
        self.pending.clear()
        return rows


class Hub:
    """Takes part in the channel-layer group of each plant that has a subscription in this process."""

    def __init__(self) -> None:
        self.frames: Counter[str] = Counter()  # sent, merged, dropped: for /metrics
        self._layer = get_channel_layer()
        self._channel: str | None = None
        self._subscriptions: defaultdict[UUID, set[Subscription]] = defaultdict(set)
        self._position: dict[UUID, tuple[str, int]] = {}  # epoch and seq of the last frame, per plant
        self._receiving: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()  # joining and leaving wait for the channel layer

    async def join(self, subscription: Subscription) -> None:
        """From now on frames are merged into the subscription; read its snapshot after this, not before."""
        async with self._changing:
            plant_id = subscription.plant_id
            if self._channel is None:
                self._channel = await self._layer.new_channel()
                self._receiving = asyncio.create_task(self._receive(self._channel))
            if not self._subscriptions[plant_id]:
                await self._layer.group_add(group(plant_id), self._channel)
            self._subscriptions[plant_id].add(subscription)
            subscription.epoch, subscription.seq = self._position.get(plant_id, ("", 0))

    async def leave(self, subscription: Subscription) -> None:
        async with self._changing:
            plant_id = subscription.plant_id
            self._subscriptions[plant_id].discard(subscription)
            if self._subscriptions[plant_id]:
                return
            del self._subscriptions[plant_id]
            self._position.pop(plant_id, None)
            if self._channel is not None:
                try:
                    await self._layer.group_discard(group(plant_id), self._channel)
                except Exception as error:  # its frames will find nobody here; that is all
                    log.warning("plant's frames not cancelled", plant=str(plant_id), error=repr(error))

    async def _receive(self, channel: str) -> None:
        while True:
            try:
                frame = from_layer(await self._layer.receive(channel))
            except Exception:  # whatever the channel layer's backend raises: go on, or nobody sees anything again
                log.exception("frame not received")
                await asyncio.sleep(RETRY_AFTER_S)
                continue
            before = self._position.get(frame.plant_id)
            # Another epoch is another ingest process, whose numbers begin again.
            follows = before is None or before == (frame.epoch, frame.seq - 1)
            self._position[frame.plant_id] = frame.epoch, frame.seq
            self.frames["dropped"] += lost(before, frame)
            for subscription in tuple(self._subscriptions.get(frame.plant_id, ())):
                self.frames["merged"] += subscription.merge(frame, follows=follows)


def lost(before: tuple[str, int] | None, frame: Frame) -> int:
    """How many frames of the plant the channel layer has lost before this one, as far as their numbers tell."""
    if before is None or before[0] != frame.epoch:
        return 0
    return max(0, frame.seq - before[1] - 1)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def get_hub() -> Hub:
    """The hub of the running event loop; a web process has one loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
