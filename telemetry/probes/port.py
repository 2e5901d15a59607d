"""The port of a process that serves no pages: /livez, /readyz, /health and /metrics of ingest and of a worker."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple

from django.conf import settings
from prometheus_client.exposition import choose_encoder

from telemetry.ingest.tasks import end
from telemetry.probes.access import REFUSAL, may_scrape
from telemetry.probes.checks import Check, Together, answer
from telemetry.probes.measures import Vitals
from telemetry.probes.server import Answer, Request, Route, Server


class Process(NamedTuple):
    """What a process tells of itself."""

    name: str
    life: Callable[[], Check]  # whether to go on; else an orchestrator should start it anew
    checks: Callable[[], Awaitable[dict[str, Check]]]
    vitals: Vitals


async def beside(work: Coroutine[Any, Any, None], process: Process, port: int) -> None:
    """Does the work, and answers on the port meanwhile; without a port (0) on none."""
    tasks: list[asyncio.Task[Any]] = []
    if port:
        server = Server(settings.HEALTH_HOST, port, routes(process))
        tasks = [asyncio.create_task(server.run()), asyncio.create_task(process.vitals.follow_loop())]
    try:
        await work
    finally:
        await end(*tasks)


def routes(process: Process) -> dict[str, Route]:
    together = Together(process.checks)

    async def livez(request: Request) -> Answer:
        return told(*answer({"process": process.life()}))

    async def readyz(request: Request) -> Answer:
        return told(*answer(await together(), process=process.name, version=settings.VERSION))

    async def health(request: Request) -> Answer:
        return told(*answer(await together(), is_strict=True, process=process.name, version=settings.VERSION))

    async def metrics(request: Request) -> Answer:
        if not may_scrape(request.peer, request.headers):
            return Answer(403, f"{REFUSAL}\n".encode())
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Answer(200, encode(process.vitals.registry), content_type)

    return {"/livez": livez, "/readyz": readyz, "/health": health, "/metrics": metrics}


def told(status: int, facts: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps(facts).encode() + b"\n", "application/json")
