"""Access tokens: the signed, short-lived JWTs with which programs say who they are."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User

VERSION_CLAIM = "ver"  # the user's `token_version`; raising it ends every token that was issued before
SCHEME = b"bearer"
REFUSED = "The access token is invalid or has expired."


class InvalidAccessTokenError(Exception):
    """The token names nobody who may use it now; its text may be shown to whoever sent it."""


def issue_access_token(user: User) -> str:
    """A token for `ACCESS_TOKEN_MINUTES`; whose role it is gets looked up at each use, not carried."""
    token = AccessToken.for_user(user)
    token[VERSION_CLAIM] = user.token_version
    return str(token)


def user_of_token(raw: str) -> tuple[User, datetime]:
    """The user a token speaks for, and when it expires (UTC); one query.

    Raises InvalidAccessTokenError for a token that is malformed, expired, signed, issued or meant otherwise, or
    older than the user's `token_version`, and for a user who is gone or inactive. It does not say which.
    """
    try:
        token = AccessToken(raw)  # type: ignore[arg-type]  # simplejwt's stubs want the parsed form
        user = User.objects.get(pk=UUID(token["sub"]), token_version=int(token[VERSION_CLAIM]), is_active=True)
    except (TokenError, KeyError, ValueError, TypeError, User.DoesNotExist):
        raise InvalidAccessTokenError(REFUSED) from None
    return user, datetime.fromtimestamp(token["exp"], UTC)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` for REST, the scheme in any case (RFC 9110 §11.1)."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        scheme, _, raw = get_authorization_header(request).partition(b" ")
        if scheme.lower() != SCHEME:
            return None
        try:
            user, expires_at = user_of_token(raw.strip().decode("ascii"))
        except (InvalidAccessTokenError, UnicodeDecodeError):
            raise AuthenticationFailed(REFUSED) from None
        return user, expires_at

    def authenticate_header(self, request: Request) -> str:
        """What `WWW-Authenticate` says beside a 401 (RFC 6750 §3)."""
        challenge = 'Bearer realm="inqube"'
        if get_authorization_header(request).lower().startswith(SCHEME):
            return f'{challenge}, error="invalid_token"'
        return challenge
