"""Writes down who signed in or out, who failed to, and who was locked out, whichever door it was."""

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from accounts.security_events import Kind, record


@receiver(user_logged_in, dispatch_uid="accounts.sign_ins")
def note_login(request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    record(Kind.LOGIN, user=user, detail=door(request))


@receiver(user_logged_out, dispatch_uid="accounts.sign_ins")
def note_logout(request: HttpRequest | None, user: User | AnonymousUser | None, **kwargs: Any) -> None:
    if isinstance(user, User):
        record(Kind.LOGOUT, user=user, detail=door(request))


@receiver(user_login_failed, dispatch_uid="accounts.sign_ins")
def note_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Keeps the email that was tried, never the password."""
    email = tried(credentials.get("username"))
    record(Kind.LOGIN_FAILED, user=user_of(email), email=email, detail=door(request))


@receiver(user_locked_out, dispatch_uid="accounts.sign_ins")
def note_lockout(request: HttpRequest | None, username: str | None, **kwargs: Any) -> None:
    email = tried(username)
    record(Kind.LOCKED_OUT, user=user_of(email), email=email, detail=door(request))


def tried(name: Any) -> str:
    return str(name or "").replace("\0", "")


def user_of(email: str) -> User | None:
    """Asked whether there is such a user or not, so that the time tells nothing."""
    return User.objects.filter(email=email).first()


def door(request: HttpRequest | None) -> str:
    """The path at which somebody came: `/login/`, `/admin/login/`, `/api/v1/login/access-token`."""
    return request.path if request else ""
