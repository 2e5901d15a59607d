"""`/livez`, `/readyz` and `/health` of a web process, for orchestrators and for people.

Ready is a process that can serve pages and the API with their live feed. That ingest or the worker is away is told, and
takes no web process out of a load balancer: history can be read and alarms acknowledged all the same, and since each of
them sees it, all would go at once.
"""

import asyncio
import time

import structlog
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from redis.asyncio import Redis
from redis.exceptions import RedisError

from telemetry.probes import checks
from telemetry.probes.checks import Check, Together, answer, ask, ask_database, ask_migrations, timed
from telemetry.probes.others import ask_ingest, ask_worker

NO_STORE = {"Cache-Control": "no-store"}
TO_BE_READY = ("database", "migrations", "valkey", "ingest")  # what /readyz speaks of; /health also of the worker
QUESTIONS = {
    "database": ask_database,
    "migrations": ask_migrations,
    "ingest": ask_ingest,
    "worker": ask_worker,
}

log = structlog.get_logger("inqube.health")


async def check_valkey() -> Check:
    started = time.monotonic()
    try:
        async with asyncio.timeout(checks.LIMIT_S), Redis.from_url(settings.REDIS_URL) as valkey:
            await valkey.ping()
        check = Check()
    except TimeoutError:
        check = Check(f"no answer within {checks.LIMIT_S:g} s")
    except (RedisError, OSError) as error:
        log.warning("valkey was not reached", error=str(error))
        check = Check("unreachable")
    return timed(check, started)


async def run_checks() -> dict[str, Check]:
    """All of them, those of either server side by side."""
    of_database, valkey = await asyncio.gather(ask(QUESTIONS), check_valkey())
    return of_database | {"valkey": valkey}


together = Together(run_checks)


async def health(request: HttpRequest) -> JsonResponse:
    """Everything with its age, for people and old clients: 200 when all is well, else 503."""
    return told(*answer(await together(), is_strict=True, version=settings.VERSION))


async def ready(request: HttpRequest) -> JsonResponse:
    """200 when everything that pages and the API need answers, else 503."""
    found = await together()
    return told(*answer({name: found[name] for name in TO_BE_READY}))


async def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all: restarting it would not mend a database that is down."""
    return JsonResponse({"status": "ok"}, headers=NO_STORE)


def told(status: int, facts: object) -> JsonResponse:
    return JsonResponse(facts, status=status, headers=NO_STORE)
