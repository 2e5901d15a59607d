"""Five wrong tries close the door for a while, the same at each: JWT, page and admin.

Counting is django-axes', by email and address; what is ours is the wider limit of an address, when the lock opens,
and the words. An unknown email is counted and locked like a known one, so that a lock tells nothing.
"""

import math
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from accounts.addresses import client_network
from accounts.models import User

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
COUNTED_CHARACTERS = 254  # an email has no more; lower case of some letters is longer than they were
TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


class Lock(NamedTuple):
    """A closed door: until when (UTC), how many seconds that is, and whether the whole address is locked out."""

    until: datetime
    seconds: int
    whole_address: bool

    def __str__(self) -> str:
        return f"Sign-in is locked for {duration(self.seconds)}."

    @property
    def reason(self) -> str:
        if self.whole_address:
            return "Too many wrong tries from this address."
        return f"{in_words(settings.AXES_FAILURE_LIMIT).capitalize()} wrong tries for this email from this address."


class Lockout(AxesDatabaseHandler):
    """Counts tries of an email from an address, and more generously all that come from the address."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """The tries that count; one address's many count as the limit, which is what axes compares with."""
        if count(self.of_address(request)) >= settings.LOCKOUT_ADDRESS_TRIES:
            return settings.AXES_FAILURE_LIMIT
        return super().get_failures(request, credentials)

    def of_address(self, request: HttpRequest) -> QuerySet[AccessAttempt]:
        since = request.axes_attempt_time - settings.AXES_COOLOFF_TIME  # type: ignore[attr-defined]
        address = request.axes_ip_address  # type: ignore[attr-defined]
        return AccessAttempt.objects.filter(ip_address=address, attempt_time__gte=since)


def count(attempts: QuerySet[AccessAttempt]) -> int:
    return sum(attempts.values_list("failures_since_start", flat=True))


def authenticate_in_turn(request: HttpRequest, username: str, password: str) -> User | None:
    """Whom email and password name; tries for one email from one address wait for each other.

    Between the look at the tries so far and the count of this one lies a password hash. Without waiting, all that
    come within it would find the door open. What is counted here is committed here, whatever the caller makes of it.
    """
    name = attempted_email(request, {"username": username})
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(TAKE_TURN, [f"{counted_address(request)} {name}"])
        user = authenticate(request, username=username, password=password)
    return user if isinstance(user, User) else None


def attempted_email(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str | None:
    """The name that tries are counted by: as the user is looked up, so that another spelling is no other user."""
    name = (credentials or {}).get("username") or (credentials or {}).get(User.USERNAME_FIELD)
    email = User._meta.get_field("email").get_prep_value(name)
    return email[:COUNTED_CHARACTERS] if isinstance(email, str) else email


def counted_address(request: HttpRequest) -> str | None:
    return client_network(request)


def tries_left(request: HttpRequest) -> int | None:
    """How many wrong tries remain after one that this request made; None if it made none."""
    made: int | None = getattr(request, "axes_failures_since_start", None)
    return None if made is None else max(0, settings.AXES_FAILURE_LIMIT - made)


def warning(request: HttpRequest) -> str:
    """What to say beside a wrong password: how many tries are left."""
    left = tries_left(request)
    if left is None:
        return ""
    tries = "One more try" if left == 1 else f"{in_words(left).capitalize()} more tries"
    return f"{tries}, then a lock of {settings.AXES_COOLOFF_TIME.total_seconds() / 60:g} minutes."


def lock_met(request: HttpRequest) -> Lock | None:
    """The lock that a sign-in with this request met or caused, if it did."""
    if not getattr(request, "axes_locked_out", False):
        return None
    handler = AxesProxyHandler.get_implementation()
    assert isinstance(handler, Lockout)
    address = handler.of_address(request)
    whole_address = count(address) >= settings.LOCKOUT_ADDRESS_TRIES
    if whole_address:
        until = opens_at(address, settings.LOCKOUT_ADDRESS_TRIES)
    else:
        until = max(
            opens_at(attempts, settings.AXES_FAILURE_LIMIT)
            for attempts in handler.get_user_attempts(request, request.axes_credentials)  # type: ignore[attr-defined]
        )
    return Lock(until, max(1, math.ceil((until - now()).total_seconds())), whole_address)


def opens_at(attempts: QuerySet[AccessAttempt], limit: int) -> datetime:
    """When enough of the attempts are forgotten; a row counts until AXES_COOLOFF_TIME after its last try."""
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    rows = list(attempts.order_by("attempt_time").values_list("attempt_time", "failures_since_start"))
    remaining = sum(tries for _, tries in rows)
    for attempted_at, tries in rows:
        remaining -= tries
        if remaining < limit:
            return attempted_at + cool_off
    return now()  # none is left: another request signed in meanwhile


def in_words(number: int) -> str:
    """`five`; figures beyond ten."""
    return WORDS[number] if number < len(WORDS) else str(number)


def duration(seconds: int) -> str:
    """`14 min 20 s`, `48 s`; numbers and units are kept together."""
    minutes, seconds = divmod(seconds, 60)
    parts = [f"{minutes}\u202fmin"] if minutes else []
    if seconds or not minutes:
        parts.append(f"{seconds}\u202fs")
    return " ".join(parts)


def signed_in(request: HttpRequest, user: User) -> None:
    """Says that somebody came in without a session: tries are forgotten, `last_login` is set."""
    user_logged_in.send(sender=type(user), request=request, user=user)


def lockout_response(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """AXES_LOCKOUT_CALLABLE: each door words its own refusal; one that did not must not look open."""
    return response if response is not None and response.status_code == 429 else HttpResponse(status=429)
