"""How often one may ask: a counter for each person or address, scope and minute, in Valkey.

Without Valkey everything is let through, and a log line says so: a cache that is down must not take REST down.
"""

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.addresses import client_network

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module, by a setting

log = structlog.get_logger()

WINDOW_S = 60
BLIND_S = 5.0  # after a failure Valkey is not asked for so long: each question may wait for its timeout
EVERYWHERE = "unknown"  # those without an address, behind a unix socket, share one count


class Ledger:
    """Counts in fixed windows; a burst across the border of two may be twice the limit, which costs nothing here."""

    def __init__(self) -> None:
        self.blind_until = 0.0

    def wait_s(self, scope: str, who: str) -> int | None:
        """Counts one more; None if it is within the limit, else seconds until the next window."""
        return self._wait_s(scope, who, self._count_one, 0)

    def full_for_s(self, scope: str, who: str) -> int | None:
        """Counts nothing; seconds until the next window if one more would be beyond the limit, else None."""
        return self._wait_s(scope, who, lambda key: cache.get(key, 0), 1)

    def _wait_s(self, scope: str, who: str, counted: Callable[[str], int], more: int) -> int | None:
        limit = settings.THROTTLES.get(scope)
        if limit is None or time.monotonic() < self.blind_until:
            return None
        moment = time.time()
        window, elapsed = divmod(moment, WINDOW_S)
        try:
            count = counted(f"throttle:{scope}:{who}:{int(window)}")
        except (RedisError, OSError) as error:
            self.blind_until = time.monotonic() + BLIND_S
            log.warning("throttles.blind", error=str(error), for_s=BLIND_S)
            return None
        return None if count + more <= limit else math.ceil(WINDOW_S - elapsed)

    @staticmethod
    def _count_one(key: str) -> int:
        return 1 if cache.add(key, 1, timeout=2 * WINDOW_S) else cache.incr(key)


ledger = Ledger()


def too_many_sign_ins(request: HttpRequest) -> int | None:
    """For sign-in pages: None, or how many seconds to wait."""
    return ledger.wait_s("login", client_network(request) or EVERYWHERE)


class ScopeThrottle(BaseThrottle):
    """By the view's `throttle_scope`, else by whether the request reads or writes."""

    seconds: int | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        scope = getattr(view, "throttle_scope", None) or ("reads" if request.method in SAFE_METHODS else "writes")
        who = str(request.user.pk) if request.user.is_authenticated else client_network(request._request) or EVERYWHERE
        self.seconds = ledger.wait_s(scope, who)
        return self.seconds is None

    def wait(self) -> float | None:
        return self.seconds
