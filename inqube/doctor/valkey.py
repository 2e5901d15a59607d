"""Valkey or Redis: whether it answers, and whether live frames get through the channel layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.retry import Retry

from inqube.doctor import clocks
from inqube.doctor.findings import Area, Check, Finding, UnavailableError, failed, ok, skipped, warning

LIMITS: Any = {"socket_timeout": 3.0, "socket_connect_timeout": 3.0}  # seconds
FULL = 0.9  # of maxmemory
REMEDY = "Look whether Valkey runs, and whether REDIS_URL names it."


@contextmanager
def opened() -> Iterator[Any]:
    if not settings.REDIS_URL:
        raise UnavailableError(skipped("REDIS_URL is not set", "Set it to your Redis or Valkey."))
    try:
        client = Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **LIMITS)
    except ValueError as error:
        raise UnavailableError(failed(f"REDIS_URL cannot be read: {error}", REMEDY)) from None
    with client:
        try:
            client.ping()
        except AuthenticationError:
            remedy = "Put its user and password into REDIS_URL: redis://user:password@host:6379/0"
            raise UnavailableError(failed("it wants another password, or user", remedy)) from None
        except RedisError as error:
            raise UnavailableError(failed(str(error), REMEDY)) from None
        yield client


def server(client: Any) -> Finding:
    about = client.info()
    name = "Valkey" if "valkey_version" in about else "Redis"
    version = about.get("valkey_version") or about.get("redis_version", "")
    used, most = about.get("used_memory", 0), about.get("maxmemory", 0)
    if most and used > FULL * most:
        remedy = "Raise its maxmemory, or give InQube one of its own: it keeps little there."
        return warning(f"{name} {version} is full: {used:,} of {most:,} bytes", remedy)
    return ok(f"{name} {version} answers")


def channel_layer(_: Any) -> Finding:
    """A frame that goes out and comes back, as ingest's do on their way to the browsers."""
    return async_to_sync(_frame)()


async def _frame() -> Finding:
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel("doctor")
    await layer.send(channel, {"type": "doctor"})
    received = await layer.receive(channel)
    if received != {"type": "doctor"}:
        return failed("something else came back than was sent", "Give each installation its own CHANNEL_PREFIX.")
    return ok("a frame went out and came back")


def clock(client: Any) -> Finding:
    before = datetime.now(UTC)
    seconds, microseconds = client.time()
    theirs = datetime.fromtimestamp(seconds + microseconds / 1e6, UTC)
    return clocks.compare("Valkey", theirs, before, datetime.now(UTC))


def answering(check: Check) -> Check:
    def checked(client: Any) -> Finding:
        try:
            return check(client)
        except RedisError as error:
            return failed(str(error), REMEDY)

    return checked


CHECKS: dict[str, Check] = {"valkey": server, "channel-layer": channel_layer, "valkey-clock": clock}
AREA = Area({name: answering(check) for name, check in CHECKS.items()}, opened)
