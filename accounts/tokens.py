"""Tokens: the signed JWTs with which programs say who they are, and by which they stay signed in.

A sign-in begins a family (`TokenFamily`). Its access tokens are good for minutes and name it; its refresh token is good
for days and once: it is exchanged for the next pair. One that comes a second time has been stolen, or its thief was
first, so the whole family ends. Who the user is and what they may do is looked up at each use, never carried.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.addresses import client_address
from accounts.models import TokenFamily, User
from accounts.security_events import Kind, record

FAMILY_CLAIM = "fam"
SCHEME = b"bearer"
REALM = 'Bearer realm="inqube"'
INVALID = f'{REALM}, error="invalid_token"'  # RFC 6750 §3.1
REFUSED = "The access token is invalid or has expired."
REFRESH_REFUSED = "The refresh token is invalid, has expired, or was used before: sign in again."

log = structlog.get_logger("inqube.tokens")


class InvalidAccessTokenError(Exception):
    """The token names nobody who may use it now; its text may be shown to whoever sent it."""


class InvalidRefreshTokenError(Exception):
    """The token is good for no exchange; its text may be shown to whoever sent it."""


class Pair(NamedTuple):
    access: str
    refresh: str
    user: User


class Access(NamedTuple):
    """What a good access token says."""

    user: User
    expires_at: datetime  # UTC
    family_id: UUID


def sign_in(user: User, request: HttpRequest | None = None) -> Pair:
    """A pair of tokens of a new family, for a user whose password was right."""
    return _pair(TokenFamily.begin(user, *_origin(request)))


def issue_access_token(user: User) -> str:
    """An access token alone, of a new family."""
    return sign_in(user).access


def refresh(raw: str) -> Pair:
    """Exchanges a refresh token for the next pair.

    Raises InvalidRefreshTokenError for a token that is malformed, expired, signed, issued or meant otherwise, that was
    exchanged before (which ends its family), or whose family or user is over. It does not say which.
    """
    token, family = _family_of(raw)
    if family is None:
        raise InvalidRefreshTokenError(REFRESH_REFUSED)
    if family.refresh_id.hex != token["jti"]:
        family.revoke()
        record(Kind.TOKEN_REUSED, user=family.user, detail="its sign-in has ended")
        log.warning("refresh token used again, its family has ended", user=str(family.user_id), family=str(family.pk))
        raise InvalidRefreshTokenError(REFRESH_REFUSED)
    if not family.rotate():
        # Another request exchanged the same token in this very moment: a program that did not wait for itself.
        # Only one of them gets a pair; it is no reason to end what that one was given.
        raise InvalidRefreshTokenError(REFRESH_REFUSED)
    return _pair(family)


def sign_out(raw: str) -> None:
    """Ends the family of a refresh token, also of one that was exchanged since; raises InvalidRefreshTokenError."""
    _, family = _family_of(raw)
    if family is not None:
        family.revoke()
        record(Kind.LOGOUT, user=family.user)


def user_of_token(raw: str) -> Access:
    """The user an access token speaks for; one query.

    Raises InvalidAccessTokenError for a token that is malformed, expired, signed, issued or meant otherwise, whose
    family is over, and for a user who is gone, inactive, or whose access has ended since. It does not say which.
    """
    try:
        token = AccessToken(raw)  # type: ignore[arg-type]  # simplejwt's stubs want the parsed form
        families = TokenFamily.objects.live().select_related("user")
        family = families.get(pk=UUID(token[FAMILY_CLAIM]), user_id=UUID(token["sub"]))
    except (TokenError, KeyError, ValueError, TypeError, AttributeError, TokenFamily.DoesNotExist):
        raise InvalidAccessTokenError(REFUSED) from None
    return Access(family.user, datetime.fromtimestamp(token["exp"], UTC), family.pk)


def _pair(family: TokenFamily) -> Pair:
    access, refresh = AccessToken(), RefreshToken()
    token: Token
    for token in (access, refresh):
        token["sub"] = str(family.user_id)
        token[FAMILY_CLAIM] = family.pk.hex
    refresh["jti"] = family.refresh_id.hex
    return Pair(str(access), str(refresh), family.user)


def _family_of(raw: str) -> tuple[Token, TokenFamily | None]:
    """A genuine refresh token and its family, None if that is over."""
    try:
        token = RefreshToken(raw)  # type: ignore[arg-type]
        families = TokenFamily.objects.live().select_related("user")
        return token, families.filter(pk=UUID(token[FAMILY_CLAIM]), user_id=UUID(token["sub"])).first()
    except (TokenError, KeyError, ValueError, TypeError, AttributeError):
        raise InvalidRefreshTokenError(REFRESH_REFUSED) from None


def _origin(request: HttpRequest | None) -> tuple[str | None, str]:
    """The address and the user agent that a request came from, as far as it tells."""
    if request is None:
        return None, ""
    return client_address(request), request.headers.get("User-Agent", "")


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` for REST, the scheme in any case (RFC 9110 §11.1)."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        scheme, _, raw = get_authorization_header(request).partition(b" ")
        if scheme.lower() != SCHEME:
            return None
        try:
            access = user_of_token(raw.strip().decode("ascii"))
        except (InvalidAccessTokenError, UnicodeDecodeError):
            raise AuthenticationFailed(REFUSED) from None
        return access.user, access

    def authenticate_header(self, request: Request) -> str:
        """What `WWW-Authenticate` says beside a 401 (RFC 6750 §3)."""
        return INVALID if get_authorization_header(request).lower().startswith(SCHEME) else REALM
