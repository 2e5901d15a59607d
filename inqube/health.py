"""`/health`, `/readyz` and `/livez`: whether this process can serve, for people and orchestrators."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypedDict
from weakref import WeakKeyDictionary

import psycopg
import structlog
from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, JsonResponse
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

LIMIT_S = 2.0  # for each check; orchestrators commonly wait for 3 to 5 s


class PendingMigrationsError(Exception):
    """The database lacks migrations that this code needs."""


class Check(TypedDict):
    status: str  # ok, or why not, in words that are fit for strangers
    ms: int


@cache
def newest_migrations() -> frozenset[tuple[str, str]]:
    """The last (app, name) of each app; where they are applied, all before them are."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


async def connect() -> psycopg.AsyncConnection:
    """A connection past the pool, so that a busy pool is not taken for a dead database."""
    parts = dict(connections["default"].get_connection_params())
    for ours in ("pool", "cursor_factory", "context", "server_side_binding"):
        parts.pop(ours, None)
    return await psycopg.AsyncConnection.connect(**parts)


async def check_database() -> None:
    async with await connect() as connection:
        await connection.execute("SELECT 1")


async def check_migrations() -> None:
    async with await connect() as connection:
        cursor = await connection.execute("SELECT app, name FROM django_migrations")
        applied = set(await cursor.fetchall())
    if not newest_migrations() <= applied:
        raise PendingMigrationsError


async def check_valkey() -> None:
    async with Redis.from_url(settings.REDIS_URL) as valkey:
        await valkey.ping()


CHECKS: dict[str, Callable[[], Awaitable[None]]] = {
    "database": check_database,
    "migrations": check_migrations,
    "valkey": check_valkey,
}


async def outcome(name: str, check: Callable[[], Awaitable[None]]) -> Check:
    started = time.monotonic()
    try:
        async with asyncio.timeout(LIMIT_S):
            await check()
        status = "ok"
    except TimeoutError:
        status = f"no answer within {LIMIT_S:g} s"
    except PendingMigrationsError:
        status = "migrations are pending; run manage.py migrate"
    except (psycopg.Error, RedisError, OSError) as error:
        log.warning("health check failed", check=name, error=str(error))
        status = "unreachable"
    return {"status": status, "ms": round((time.monotonic() - started) * 1000)}


async def run_checks() -> dict[str, Check]:
    """All of them, side by side."""
    outcomes = await asyncio.gather(*(outcome(name, check) for name, check in CHECKS.items()))
    return dict(zip(CHECKS, outcomes, strict=True))


# Anybody may ask, as often as they like: who asks while the checks run gets their outcome, not connections anew.
_under_way: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[dict[str, Check]]] = WeakKeyDictionary()


async def health(request: HttpRequest) -> JsonResponse:
    """200 when everything that pages and the API need answers, else 503."""
    loop = asyncio.get_running_loop()
    if loop not in _under_way or _under_way[loop].done():
        _under_way[loop] = loop.create_task(run_checks())
    checks = await asyncio.shield(_under_way[loop])
    healthy = all(check["status"] == "ok" for check in checks.values())
    return JsonResponse(
        {"status": "ok" if healthy else "down", "checks": checks},
        status=200 if healthy else 503,
        headers={"Cache-Control": "no-store"},
    )


async def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all: restarting it would not mend a database that is down."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})
