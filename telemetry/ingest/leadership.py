"""Which of several processes works for a session with the broker: the one that holds its advisory lock.

The lock ends with the connection that holds it: at once when the process is killed, and within ten seconds when its
machine dies, for both ends probe a silent network. It keeps two processes from taking the session from each other in
turns. It protects no data: a process that has lost it, and does not know yet, stores what it has, and readings that two
processes store are recognised by their identity.

Sessions and locks belong to one server connection: a pooler in transaction mode must not stand between.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from hashlib import blake2b

import psycopg
import structlog

from telemetry.storage import connection_params

Connection = psycopg.AsyncConnection[tuple[object, ...]]

NAMESPACE = 0x1A6E57  # of ingest's locks among advisory locks of two numbers
ASK_EVERY_S = 1.0  # a waiting pg_advisory_lock() would hold back vacuum for as long as a standby stands by
RETRY_AFTER_S = 1.0
BEAT_S = 2.0  # so often the connection is used, and its loss noticed

# libpq's, and the server's for its end: a silent network is probed after 4 s, and given up after 4 s more.
PROBES = {"keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 2, "tcp_user_timeout": 8000}
SERVER_PROBES = """
SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 2;
SET tcp_user_timeout = 8000; SET statement_timeout = '10s'
"""
TRY = "SELECT pg_try_advisory_lock(%s, %s)"
UNLOCK = "SELECT pg_advisory_unlock(%s, %s)"  # before the connection ends, which the server sees a little later
# After a cut of the network the server may not know yet that our last connection is gone, and hold the lock for it.
END_GHOSTS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND pid <> pg_backend_pid()
"""

log = structlog.get_logger("inqube.ingest")


def lock_key(client_id: str) -> tuple[int, int]:
    """The two signed 32-bit numbers of a session's lock."""
    return NAMESPACE, int.from_bytes(blake2b(client_id.encode(), digest_size=4).digest(), signed=True)


class Leadership:
    """The lock of a session, and the connection that holds it."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.held = asyncio.Event()
        self._connection: Connection | None = None
        self._application_name = f"inqube ingest lock {secrets.token_hex(4)}"

    async def win(self, stand_by: Callable[[Connection], Awaitable[None]]) -> bool:
        """Waits until the lock is ours; True where another process had it. Calls `stand_by` each time that it has."""
        stood_by = False
        while not self.held.is_set():
            try:
                if await self._try():
                    break
                if not stood_by:
                    log.info("standing by: another process works for this session", client_id=self.client_id)
                    stood_by = True
                assert self._connection is not None
                await stand_by(self._connection)
            except psycopg.Error as error:
                log.warning("the session's lock was not asked for; trying again", error=str(error).strip())
            await asyncio.sleep(ASK_EVERY_S)
        return stood_by

    async def keep(self, beat: Callable[[Connection], Awaitable[None]], soon: asyncio.Event) -> None:
        """Uses the connection again and again, or when `soon` is set, and gets the lock back when it is lost.

        Returns when another process has it.
        """
        while True:
            connection = self._connection
            assert connection is not None
            try:
                await beat(connection)
            except psycopg.Error as error:
                if not connection.closed:
                    log.warning("the state of ingest was not noted", error=str(error).strip())
                else:
                    self.held.clear()
                    log.warning("the session's lock was lost; going on, and asking for it", error=str(error).strip())
                    if not await self._win_back():
                        return
                    continue
            try:
                async with asyncio.timeout(BEAT_S):
                    await soon.wait()
                    soon.clear()
            except TimeoutError:
                pass

    async def release(self, last: Callable[[Connection], Awaitable[None]], within_s: float) -> None:
        """Gives the lock back after a last use of the connection."""
        self.held.clear()
        assert self._connection is not None
        try:
            async with asyncio.timeout(within_s):
                await last(self._connection)
                await self._connection.execute(UNLOCK, lock_key(self.client_id))
        except (psycopg.Error, TimeoutError) as error:
            log.warning("the end of ingest was not noted", error=str(error).strip() or "no answer")

    async def close(self) -> None:
        self.held.clear()
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _win_back(self) -> bool:
        while True:
            try:
                return await self._try()
            except psycopg.Error:
                await asyncio.sleep(RETRY_AFTER_S)

    async def _try(self) -> bool:
        if self._connection is None or self._connection.closed:
            params = connection_params() | PROBES | {"application_name": self._application_name}
            self._connection = await psycopg.AsyncConnection.connect(**params, autocommit=True)
            await self._connection.execute(SERVER_PROBES)
            await self._connection.execute(END_GHOSTS, [self._application_name])
        row = await (await self._connection.execute(TRY, lock_key(self.client_id))).fetchone()
        if row == (True,):
            self.held.set()
        return self.held.is_set()
