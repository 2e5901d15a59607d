"""The socket: one program or browser page that follows some plants."""

import asyncio
import contextlib
import re
from datetime import datetime, timedelta
from typing import Any

import structlog
from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils.timezone import now

from accounts.channels import Identity, identify, identify_by_token
from plants.models import SLUG_PATTERN, Plant
from telemetry.live import frames
from telemetry.live.alarm_feed import ask, get_alarm_feed, missed
from telemetry.live.allowance import Allowance
from telemetry.live.guard import get_guard
from telemetry.live.hub import Pace, Subscription, get_hub
from telemetry.queries.latest import latest_rows

SILENT_AFTER_S = 30.0  # a client that neither acknowledges nor pings for so long is gone, or too slow
EXPIRING_BEFORE = timedelta(seconds=60)
MAX_SOCKETS = 200  # a person and web process: screens in all halls, not a program that forgets to close
MAX_PLANTS = 500  # subscriptions a socket; more is a mistake or an attack
CHECK_EVERY_S = 1.0
MAX_MESSAGE_BYTES = 65_536  # a subscription to 8,000 sensors; daphne's own limit is only a flag of its command line
# What a client asks is answered whether it reads or not, and daphne keeps what is not read: so there is an end to
# answers. Acknowledgements have none and are not counted.
ANSWERS_AT_ONCE = MAX_PLANTS + 100  # all subscriptions, after a reconnect
ANSWERS_A_SECOND = 10.0

log = structlog.get_logger("inqube.live.socket")


class TelemetryConsumer(AsyncWebsocketConsumer):
    """`/api/v1/ws/telemetry`. Memory a socket is bounded: two frames on the way; what waits is the plant's track."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Instead of Channels' own, which costs more than all else here.

        That one subscribes each socket to a channel of its own in Valkey, where the hub has one for all, and waits at
        each message for the thread of the database, behind the snapshots of others, to look for stale connections:
        `database_sync_to_async` looks for them where there are any.
        """
        self.scope, self.base_send = scope, send
        with contextlib.suppress(StopConsumer):
            while True:
                message = await receive()
                await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        self.identity: Identity | None = None
        self.subscriptions: dict[str, Subscription] = {}
        self.paces: dict[str, Pace] = {}  # of plants subscribed to, now or before
        self.wake = asyncio.Event()
        self.heard_at = self._clock()
        self.answers = Allowance(ANSWERS_AT_ONCE, ANSWERS_A_SECOND, self.heard_at)
        self.tasks: list[asyncio.Task[None]] = []
        offered = self.scope.get("subprotocols", [])
        # First, for daphne gives a handshake five seconds: many who come at once wait longer for the database.
        await self.accept(frames.SUBPROTOCOL if frames.SUBPROTOCOL in offered else None)
        identity = await identify(self.scope)
        if identity is None:
            await self.close(frames.UNAUTHENTICATED)
            return
        if get_guard().sockets_of(identity.user) >= MAX_SOCKETS:
            await self._say(frames.error("too_many", f"A person has at most {MAX_SOCKETS} sockets."))
            await self.close(frames.TOO_MANY_SOCKETS)
            return
        get_guard().add(self)
        await self._sign_in(identity)
        self.tasks = [asyncio.create_task(self._send_due()), asyncio.create_task(self._watch())]

    async def disconnect(self, code: int) -> None:
        get_guard().remove(self)
        for task in self.tasks:
            task.cancel()
        await self._unsubscribe_all()

    async def lose_access(self) -> None:
        """Whoever this is may see nothing any more."""
        await self._end(frames.UNAUTHENTICATED)

    async def lose_plant(self, plant: str) -> None:
        """To whoever this is, the plant exists no more."""
        await self._unsubscribe(plant)
        await self._say(frames.not_found(plant))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.identity is None:
            return
        self.heard_at = self._clock()
        try:
            await self._answer(text_data.encode() if text_data is not None else bytes_data or b"")
        except frames.Invalid as invalid:
            await self._say(frames.error("invalid", str(invalid)))
        except frames.Violation as violation:
            log.info("live socket closed", reason=str(violation), user=str(self.identity.user.pk))
            await self._say(frames.error("too_many", str(violation)))
            await self._end(frames.PROTOCOL_VIOLATED)
        except Exception:
            # Channels would drop this consumer without `disconnect`, and its tasks and subscriptions would live on.
            log.exception("live socket failed")
            await self._end(frames.SERVER_FAILED)

    async def _answer(self, raw: bytes) -> None:
        message = self._understand(raw)
        match message:
            case frames.Subscribe():
                await self._subscribe(message)
            case frames.Unsubscribe(plant):
                await self._unsubscribe(plant)
            case frames.Ack(plant, seq):
                if plant in self.paces and self.paces[plant].acknowledge(seq):
                    self.wake.set()
            case frames.Auth(access_token):
                await self._authenticate(access_token)
            case frames.Ping():
                await self._say(frames.PONG)

    def _understand(self, raw: bytes) -> frames.Message:
        """Raises Invalid, or Violation for more than a client has reason to send."""
        if len(raw) > MAX_MESSAGE_BYTES:
            raise frames.Violation(f"A message may have {MAX_MESSAGE_BYTES:,} bytes at most.")
        message: frames.Message | frames.Invalid
        try:
            message = frames.parse(raw)
        except frames.Invalid as invalid:
            message = invalid
        if not isinstance(message, frames.Ack) and not self.answers.take(self._clock()):
            raise frames.Violation(f"More than {ANSWERS_A_SECOND:g} messages a second, not counting ack.")
        if isinstance(message, frames.Invalid):
            raise message
        return message

    async def _sign_in(self, identity: Identity) -> None:
        self.identity = identity
        self.warned = False
        await self._say(frames.ready(identity.expires_at))

    async def _authenticate(self, access_token: str) -> None:
        """A new token on the open socket; it must speak for the same user."""
        identity = await identify_by_token(access_token)
        if identity is None or self.identity is None or identity.user != self.identity.user:
            await self.lose_access()
            return
        await self._sign_in(identity)

    async def _subscribe(self, wanted: frames.Subscribe) -> None:
        assert self.identity is not None
        if wanted.plant not in self.subscriptions and len(self.subscriptions) >= MAX_PLANTS:
            await self._say(frames.error("too_many", f"A socket follows at most {MAX_PLANTS} plants.", wanted.plant))
            return
        plant = await self._visible_plant(wanted.plant)
        if plant is None:
            await self._say(frames.not_found(wanted.plant))
            return
        await self._unsubscribe(wanted.plant)
        pace = self.paces.setdefault(plant.slug, Pace())
        subscription = Subscription(plant.id, plant.slug, wanted.sensors, wanted.max_hz, self.wake.set, pace)
        self.subscriptions[plant.slug] = subscription
        await get_hub().join(subscription, wanted.resume)
        seen = wanted.resume.alarm if wanted.resume else None
        subscription.follow_alarms(await get_alarm_feed().follow(plant.id), seen)
        self.wake.set()

    async def _unsubscribe(self, plant: str) -> None:
        subscription = self.subscriptions.pop(plant, None)
        if subscription is not None:
            await get_hub().leave(subscription)

    async def _end(self, code: int) -> None:
        """From now on nothing is sent and nothing understood, also if the client stays."""
        self.identity = None
        get_guard().remove(self)
        for task in self.tasks:
            if task is not asyncio.current_task():
                task.cancel()
        await self._unsubscribe_all()
        await self.close(code)

    async def _unsubscribe_all(self) -> None:
        for plant in tuple(self.subscriptions):
            await self._unsubscribe(plant)

    @database_sync_to_async
    def _visible_plant(self, slug: str) -> Plant | None:
        assert self.identity is not None
        if not re.match(SLUG_PATTERN, slug):  # PostgreSQL refuses some strings, such as those with NUL
            return None
        return Plant.objects.visible_to(self.identity.user).filter(slug=slug).first()

    async def _send_due(self) -> None:
        """Sends what each subscription has waiting, no oftener than it asked for."""
        try:
            while True:
                self.wake.clear()
                now_s = self._clock()
                next_at = None
                for subscription in tuple(self.subscriptions.values()):
                    if subscription.has_alarms:
                        await self._send_alarms(subscription)
                    due_at = subscription.due_at()
                    if due_at is not None and due_at <= now_s:
                        await self._send(subscription)
                        due_at = subscription.due_at()
                    if due_at is not None:
                        next_at = due_at if next_at is None else min(next_at, due_at)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(next_at):
                        await self.wake.wait()
        except Exception:  # such as a database that is away: the client comes back, and gets a snapshot then
            log.exception("live socket failed")
            await self._end(frames.SERVER_FAILED)

    async def _send(self, subscription: Subscription) -> None:
        if subscription.needs_snapshot:
            place = subscription.snapshot_from()
            rows = await database_sync_to_async(latest_rows)(subscription.plant_id, subscription.sensors)
            if self.subscriptions.get(subscription.slug) is not subscription:
                return  # it ended meanwhile
            text = subscription.snapshot(place, rows, self._clock())
        else:
            text = subscription.delta(self._clock())
        await self.send(text_data=text)
        get_hub().frames["sent"] += 1

    async def _send_alarms(self, subscription: Subscription) -> None:
        """All that has happened since the last that was told, each for itself."""
        last, told = subscription.alarms.last, subscription.alarms.since(subscription.told_alarm)
        if told is None:
            told = await ask(missed, subscription.plant_id, subscription.told_alarm)
            if self.subscriptions.get(subscription.slug) is not subscription:
                return  # it ended meanwhile
        if told is None:
            subscription.begin_anew()
            return
        subscription.told_alarm = max(last, *(each.number for each in told), 0)
        for each in told:
            await self.send(text_data=each.frame)
        get_hub().frames["sent"] += len(told)

    async def _watch(self) -> None:
        """Ends the socket when its client is silent or its identity has run out."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            assert self.identity is not None
            if self._clock() - self.heard_at > SILENT_AFTER_S:
                await self._end(frames.TOO_SLOW)
                return
            left = self.identity.expires_at - self._now()
            if left <= timedelta(0):
                await self._end(frames.UNAUTHENTICATED)
                return
            if left <= EXPIRING_BEFORE and not self.warned:
                self.warned = True
                await self._say(frames.auth_expiring(self.identity.expires_at))

    async def _say(self, frame: bytes) -> None:
        await self.send(text_data=frame.decode())

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()

    @staticmethod
    def _now() -> datetime:
        return now()
