"""The one place of a web process where a plant's frames arrive, and the subscriptions that wait for them."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from channels.layers import get_channel_layer

from telemetry.live import frames
from telemetry.live.frames import Resume, Row, from_layer, group
from telemetry.live.tail import Tail
from telemetry.live.track import Track

# With this many deltas unacknowledged the server only merges: the socket's buffers never grow beyond them.
MAX_UNACKNOWLEDGED = 2
BEAT_S = 3.0  # a socket for which nothing is new hears so often that the feed lives
SNAPSHOT_EVERY_S = 1.0  # of a plant on a socket, however often it subscribes anew: a snapshot is large
RETRY_AFTER_S = 1.0
REMEMBER_S = 60.0  # a plant that nobody follows any more, for clients that come back

log = structlog.get_logger("inqube.live.hub")


class Place(NamedTuple):
    """Of a frame, for the server and for the client."""

    position: int
    epoch: str
    seq: int


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
    """What one socket wants of one plant, and where it stands: nothing waits for it but what the plant's track holds.

    It stands by the track of the hub that it has joined.
    """

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
        self.wake = wake
        self.pace = pace or Pace()
        self.track = Track()
        self._position: int | None = None  # frames heard of when the last one was sent; None before the first
        self._told: str | None = None  # the epoch that the client knows
        self._greets = False  # the client waits for an answer
        self.alarms = Tail(0)
        self.told_alarm = 0  # the last event of alarms that the client knows

    def follow(self, track: Track, resume: Resume | None = None) -> None:
        self.track = track
        self._position = track.where(resume.epoch, resume.seq) if resume else None
        if resume and self._position is not None:
            self._told = resume.epoch
            self._greets = True

    def follow_alarms(self, tail: Tail, told: int | None) -> None:
        """From the event after `told` on, or from now on."""
        self.alarms, self.told_alarm = tail, tail.last if told is None else min(told, tail.last)

    def begin_anew(self) -> None:
        """With a snapshot: more alarms were missed than can be told."""
        self._position, self.told_alarm = None, self.alarms.last

    @property
    def has_alarms(self) -> bool:
        """Whether some may be told now."""
        return self.told_alarm < self.alarms.last and not self.is_blocked

    @property
    def needs_snapshot(self) -> bool:
        return self._position is None or not self.track.is_whole_from(self._position)

    @property
    def waits(self) -> bool:
        """Whether a frame waits for this client, with which the next one goes out."""
        return self._position is not None and self.track.heard > self._position

    @property
    def is_blocked(self) -> bool:
        """Whether the client has not acknowledged what it was sent."""
        return len(self.pace.unacknowledged) >= MAX_UNACKNOWLEDGED

    def due_at(self) -> float | None:
        """When the next frame may go out, by the loop's clock; None while there is none to send."""
        if self.is_blocked:
            return None
        if self._position is None or self.needs_snapshot:
            return self.pace.sent_at + max(SNAPSHOT_EVERY_S, self.interval_s)
        if self._greets or self.track.has_since(self._position, self.sensors):
            return self.pace.sent_at + self.interval_s
        return self.pace.sent_at + max(BEAT_S, self.interval_s) if self.waits else None

    def snapshot_from(self) -> Place:
        """Where a snapshot stands that is read from now on: what is committed meanwhile comes later, perhaps again."""
        return Place(self.track.heard, self.track.epoch, self.track.seq)

    def snapshot(self, place: Place, rows: list[Row], now: float) -> str:
        self._position, self._told = place.position, place.epoch
        self._sent(place.seq, now)
        return frames.snapshot(self.slug, place.epoch, place.seq, rows, self.told_alarm).decode()

    def delta(self, now: float) -> str:
        """All that has changed since the last frame."""
        assert self._position is not None
        track = self.track
        epoch = None if track.epoch == self._told else track.epoch
        text = track.delta(self.slug, self._position, self.sensors, epoch)
        self._position, self._told = track.heard, track.epoch
        self._sent(track.seq, now)
        return text

    def _sent(self, seq: int, now: float) -> None:
        self._greets = False
        self.pace.unacknowledged.append(seq)
        self.pace.sent_at = now


class Hub:
    """Takes part in the channel-layer group of each plant that has a subscription in this process, or had just now."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self.frames: Counter[str] = Counter()  # sent, merged, dropped: for /metrics
        self._layer = get_channel_layer()
        self._channel: str | None = None
        self._subscriptions: defaultdict[UUID, set[Subscription]] = defaultdict(set)
        self._tracks: dict[UUID, Track] = {}
        self._left_at: dict[UUID, float] = {}  # plants without a subscription, since when by the loop's clock
        self._receiving: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()  # joining and leaving wait for the channel layer

    async def join(self, subscription: Subscription, resume: Resume | None = None) -> None:
        """From now on the subscription knows of every frame; read its snapshot after this, not before."""
        async with self._changing:
            plant_id = subscription.plant_id
            if self._channel is None:
                self._channel = await self._layer.new_channel()
                self._receiving = asyncio.create_task(self._receive(self._channel))
            if plant_id not in self._tracks:
                await self._layer.group_add(group(plant_id), self._channel)
                self._tracks[plant_id] = Track()
            self._left_at.pop(plant_id, None)
            self._subscriptions[plant_id].add(subscription)
            subscription.follow(self._tracks[plant_id], resume)

    async def leave(self, subscription: Subscription) -> None:
        """The plant's track goes on for a while: a client whose connection broke resumes there."""
        plant_id = subscription.plant_id
        async with self._changing:
            subscriptions = self._subscriptions[plant_id]
            subscriptions.discard(subscription)
            if not subscriptions:
                del self._subscriptions[plant_id]
                if plant_id in self._tracks:
                    self._left_at[plant_id] = self._clock()

    def is_followed(self, plant_id: UUID) -> bool:
        return plant_id in self._subscriptions

    def wake(self, plant_id: UUID) -> None:
        """Those who follow the plant have something to send."""
        for subscription in self._subscriptions.get(plant_id, ()):
            subscription.wake()

    async def _receive(self, channel: str) -> None:
        while True:
            try:
                frame = from_layer(await self._layer.receive(channel))
                if frame.plant_id in self._left_at:
                    await self._forget(frame.plant_id)
            except Exception:  # whatever the channel layer's backend raises: go on, or nobody sees anything again
                log.exception("frame not received")
                await asyncio.sleep(RETRY_AFTER_S)
                continue
            if frame.plant_id in self._tracks:
                subscriptions = self._subscriptions.get(frame.plant_id, ())
                self.frames["merged"] += sum(subscription.waits for subscription in subscriptions)
                self.frames["dropped"] += self._tracks[frame.plant_id].hear(frame)
                self.wake(frame.plant_id)

    async def _forget(self, plant_id: UUID) -> None:
        """Cancels the frames of a plant that nobody has come back to; this is looked at as they come."""
        async with self._changing:
            left_at = self._left_at.get(plant_id)
            if left_at is None or self._clock() - left_at < REMEMBER_S:
                return
            del self._left_at[plant_id], self._tracks[plant_id]
            try:
                await self._layer.group_discard(group(plant_id), self._channel)
            except Exception as error:  # its frames will find nobody here; that is all
                log.warning("plant's frames not cancelled", plant=str(plant_id), error=repr(error))


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def get_hub() -> Hub:
    """The hub of the running event loop; a web process has one loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
