"""Ends what sockets may no longer have, seconds after it was taken away: one look at the database for all sockets."""

import asyncio
from typing import NamedTuple, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from django.db import connection

from accounts.channels import Identity, still_good
from accounts.models import User
from plants.models import Plant
from telemetry.live.hub import Subscription

LOOK_EVERY_S = 2.0  # sockets close within 5 s of a revocation, a slow look at the database included

log = structlog.get_logger("inqube.live.guard")


class Socket(Protocol):
    identity: Identity | None
    subscriptions: dict[str, Subscription]

    async def lose_access(self) -> None: ...
    async def lose_plant(self, plant: str) -> None: ...


class Look(NamedTuple):
    """A socket as it was when the database was asked."""

    socket: Socket
    identity: Identity
    subscriptions: dict[str, Subscription]


class Allowed(NamedTuple):
    identities: set[Identity]
    plants: set[tuple[UUID, UUID]]  # (user, plant)


def allowed(identities: set[Identity], plants: set[UUID]) -> Allowed:
    """What still holds of these; five queries, however many they are."""
    good = still_good(identities)
    users = {identity.user for identity in good}
    return Allowed(good, Plant.objects.filter(pk__in=plants).visible_to_each(users))


def ask(identities: set[Identity], plants: set[UUID]) -> Allowed:
    """`allowed` in a thread of its own: behind the snapshots of many who connect at once it would come too late."""
    try:
        return allowed(identities, plants)
    finally:
        connection.close()  # back to the pool: the next look may come in another thread


class Guard:
    """Knows the signed-in sockets of this process, and looks after them while there are any."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._looking: asyncio.Task[None] | None = None

    @property
    def sockets(self) -> int:
        return len(self._sockets)

    def sockets_of(self, user: User) -> int:
        return sum(socket.identity is not None and socket.identity.user.pk == user.pk for socket in self._sockets)

    def add(self, socket: Socket) -> None:
        self._sockets.add(socket)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_after())

    def remove(self, socket: Socket) -> None:
        self._sockets.discard(socket)

    async def _look_after(self) -> None:
        while self._sockets:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except Exception:  # such as a database that is away: nobody loses access there meanwhile
                log.exception("live sockets not checked")

    async def look(self) -> None:
        """Closes the sockets whose access has ended, and ends subscriptions to plants that were taken away."""
        looks = [
            Look(socket, socket.identity, dict(socket.subscriptions)) for socket in self._sockets if socket.identity
        ]
        identities = {look.identity for look in looks}
        plants = {subscription.plant_id for look in looks for subscription in look.subscriptions.values()}
        still = await asyncio.to_thread(ask, identities, plants)
        await asyncio.gather(*(settle(look, still) for look in looks))


async def settle(look: Look, still: Allowed) -> None:
    """Takes from a socket what is no longer allowed, unless the socket has moved on since it was looked at."""
    socket, user = look.socket, look.identity.user.pk
    if socket.identity is not look.identity:
        return
    try:
        if look.identity not in still.identities:
            log.info("live socket closed, access has ended", user=str(user))
            await socket.lose_access()
            return
        for plant, subscription in look.subscriptions.items():
            if (user, subscription.plant_id) not in still.plants and socket.subscriptions.get(plant) is subscription:
                await socket.lose_plant(plant)
    except Exception:  # a connection that broke just now: the others must not wait for it
        log.exception("live socket not settled")


_guards: WeakKeyDictionary[asyncio.AbstractEventLoop, Guard] = WeakKeyDictionary()


def get_guard() -> Guard:
    """The guard of the running event loop; a web process has one loop."""
    loop = asyncio.get_running_loop()
    if loop not in _guards:
        _guards[loop] = Guard()
    return _guards[loop]
