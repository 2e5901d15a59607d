"""Checks of what processes depend on, each with a time limit, told in words that are fit for strangers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import structlog
from django.db.migrations.loader import MigrationLoader
from psycopg import AsyncConnection

from telemetry.storage import connection_params

LIMIT_S = 2.0  # for all that is asked of one server; orchestrators commonly wait for 3 to 5 s
APPLICATION_NAME = "inqube health"  # as pg_stat_activity shows it

log = structlog.get_logger("inqube.health")


@dataclass(frozen=True, slots=True)
class Check:
    """What one look has found."""

    status: str = "ok"  # or what is wrong
    is_fatal: bool = True  # the process can't do its work then; else it is only told
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.status == "ok"


Question = Callable[[AsyncConnection], Awaitable[Check]]


@cache
def newest_migrations() -> frozenset[tuple[str, str]]:
    """The last (app, name) of each app; where they are applied, all before them are."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


async def connect() -> AsyncConnection:
    """A connection past the pool, so that a busy pool is not taken for a dead database."""
    params = connection_params() | {"application_name": APPLICATION_NAME}
    return await AsyncConnection.connect(**params, autocommit=True)


async def ask_database(connection: AsyncConnection) -> Check:
    await connection.execute("SELECT 1")
    return Check()


async def ask_migrations(connection: AsyncConnection) -> Check:
    try:
        cursor = await connection.execute("SELECT app, name FROM django_migrations")
    except psycopg.errors.UndefinedTable:
        return Check("migrations are pending; run manage.py migrate")
    if newest_migrations() <= set(await cursor.fetchall()):
        return Check()
    return Check("migrations are pending; run manage.py migrate")


async def ask(questions: Mapping[str, Question]) -> dict[str, Check]:
    """The answers of the database, on one connection; where it does not answer in time, that is each one's answer."""
    found: dict[str, Check] = {}
    try:
        async with asyncio.timeout(LIMIT_S), await connect() as connection:
            for name, question in questions.items():
                started = time.monotonic()
                found[name] = timed(await question(connection), started)
        return found
    except TimeoutError:
        why = f"no answer within {LIMIT_S:g} s"
    except (psycopg.Error, OSError) as error:
        log.warning("the database was not asked", error=str(error).strip() or type(error).__name__)
        why = "unreachable"
    return {name: found.get(name) or Check(why) for name in questions}


def timed(check: Check, started: float) -> Check:
    """With the milliseconds that it took."""
    return replace(check, facts={**check.facts, "ms": round((time.monotonic() - started) * 1000)})


def answer(checks: Mapping[str, Check], *, is_strict: bool = False, **about: Any) -> tuple[int, dict[str, Any]]:
    """The HTTP status and the JSON for these checks.

    Args:
        is_strict: 503 for what is only told, too.
        about: more to say beside the checks.
    """
    broken = [check for check in checks.values() if not check.is_ok]
    is_down = any(check.is_fatal for check in broken)
    status = "down" if is_down else "degraded" if broken else "ok"
    told = {name: {"status": check.status, **check.facts} for name, check in checks.items()}
    return 503 if is_down or (is_strict and broken) else 200, {"status": status, **about, "checks": told}


class Together:
    """Anybody may ask, as often as they like: who asks while the checks run gets their outcome, not checks anew."""

    def __init__(self, run: Callable[[], Awaitable[dict[str, Check]]]) -> None:
        self._run = run
        self._under_way: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[dict[str, Check]]]
        self._under_way = WeakKeyDictionary()

    async def __call__(self) -> dict[str, Check]:
        loop = asyncio.get_running_loop()
        if loop not in self._under_way or self._under_way[loop].done():
            self._under_way[loop] = loop.create_task(self._checks())
        return await asyncio.shield(self._under_way[loop])

    async def _checks(self) -> dict[str, Check]:
        return await self._run()
