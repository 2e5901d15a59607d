"""Who is behind a WebSocket: a session cookie from our own pages, or a bearer token from a program.

Browsers send cookies along from any page, so a cookie counts only with an `Origin` that is this server's; a program
without an `Origin`, and a page that CORS lets call REST, needs a token. Tokens come in the `Authorization` header or,
for browsers, as a second subprotocol `inqube.bearer.<token>`; never in the query string, which ends up in logs.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from channels.db import database_sync_to_async
from channels.sessions import CookieMiddleware, SessionMiddleware
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils.timezone import now

from accounts.models import TokenFamily, User
from accounts.tokens import InvalidAccessTokenError, user_of_token

BEARER = b"bearer "
BEARER_SUBPROTOCOL = "inqube.bearer."


class Identity(NamedTuple):
    """A person or program on a socket, when their proof runs out (UTC), and its kind: a token's family or a session."""

    user: User
    expires_at: datetime
    family_id: UUID | None = None
    session_key: str | None = None


async def identify(scope: dict[str, Any]) -> Identity | None:
    """Whoever this connection proves to be, or None."""
    headers = dict(scope["headers"])
    own = _is_own_origin(headers)
    token = _bearer(headers, scope.get("subprotocols", []))
    if token is not None and (own or _may_bring_tokens(headers)):
        return await identify_by_token(token)
    if token is None and own and b"origin" in headers:
        return await _identify_by_session(scope)
    return None


@database_sync_to_async
def identify_by_token(token: str) -> Identity | None:
    try:
        access = user_of_token(token)
    except InvalidAccessTokenError:
        return None
    return Identity(access.user, access.expires_at, family_id=access.family_id)


@database_sync_to_async
def _identify_by_session(scope: dict[str, Any]) -> Identity | None:
    request = HttpRequest()
    request.session = scope["session"]
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active:
        return None
    expires_at = now() + timedelta(seconds=request.session.get_expiry_age())
    return Identity(user, expires_at, session_key=request.session.session_key)


def still_good(identities: Collection[Identity]) -> set[Identity]:
    """Those whose access has not ended since they were made; three queries, however many they are.

    Logout deletes a session and revokes a family; all else that ends access changes the user's row.
    """
    families = {identity.family_id for identity in identities if identity.family_id}
    sessions = {identity.session_key for identity in identities if identity.session_key}
    users = {identity.user.pk for identity in identities}
    proofs = {
        *TokenFamily.objects.live().filter(pk__in=families).values_list("pk", flat=True),
        *Session.objects.filter(pk__in=sessions, expire_date__gt=now()).values_list("pk", flat=True),
    }
    versions = dict(User.objects.filter(pk__in=users, is_active=True).values_list("pk", "token_version"))
    return {
        identity
        for identity in identities
        if versions.get(identity.user.pk) == identity.user.token_version
        and (identity.family_id in proofs or identity.session_key in proofs)
    }


def _is_own_origin(headers: dict[bytes, bytes]) -> bool:
    """Whether the page that opened the socket is ours; True for programs, which send no Origin."""
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin.decode("latin-1")).netloc == headers.get(b"host", b"").decode("latin-1")


def _may_bring_tokens(headers: dict[bytes, bytes]) -> bool:
    """Whether the page is one of those that may call REST too: it brings a token, but the cookie is not its own."""
    return headers.get(b"origin", b"").decode("latin-1") in settings.CORS_ALLOWED_ORIGINS


def _bearer(headers: dict[bytes, bytes], subprotocols: list[str]) -> str | None:
    authorization = headers.get(b"authorization", b"")
    if authorization[: len(BEARER)].lower() == BEARER:
        return authorization[len(BEARER) :].strip().decode("latin-1")
    for subprotocol in subprotocols:
        if subprotocol.startswith(BEARER_SUBPROTOCOL):
            return subprotocol.removeprefix(BEARER_SUBPROTOCOL)
    return None


def with_session(application: Any) -> Any:
    """Adds the browser's session to the scope; nothing is read from the database before it is asked for."""
    return CookieMiddleware(SessionMiddleware(application))
