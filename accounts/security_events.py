"""What happened to people's access: sign-ins, failures, lockouts, revocations; written by code, never changed."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from accounts.models import User


class ClockTimestamp(models.Func):
    """The database's clock, as in the history tables: one clock orders both."""

    template = "clock_timestamp()"
    output_field = models.DateTimeField()
    allowed_default = True


class CurrentContext(models.Func):
    """Who, from where, in which request or command: what `accounts.audit_context` told the database."""

    template = "NULLIF(current_setting('pghistory.context_metadata', true), '')::jsonb"
    output_field = models.JSONField()
    allowed_default = True


class Kind(models.TextChoices):
    """A changed password is none of these: the history of users has it."""

    LOGIN = "login", "Signed in"
    LOGIN_FAILED = "login_failed", "Sign-in failed"
    LOCKED_OUT = "locked_out", "Locked out"
    LOGOUT = "logout", "Signed out"
    TOKEN_REUSED = "token_reused", "Used refresh token presented again"
    # Written by a trigger on users, see migration 0006, so that bulk and SQL count:
    TOKENS_REVOKED = "tokens_revoked", "Sessions and tokens revoked"
    ROLE_CHANGED = "role_changed", "Role changed"
    DEACTIVATED = "deactivated", "Deactivated"


class SecurityEvent(models.Model):
    """One event; the database refuses UPDATE, DELETE and TRUNCATE of the table."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=ClockTimestamp(), db_index=True)
    kind = models.CharField(max_length=30)  # a Kind; without choices, so that a new one needs no migration
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,  # the event outlives the user
        db_constraint=False,
        related_name="+",
        help_text="Whose access it is about.",
    )
    email = models.CharField(max_length=254, blank=True, help_text="As it was typed at a sign-in.")
    detail = models.CharField(max_length=500, blank=True)
    context = models.JSONField(null=True, db_default=CurrentContext())

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.kind


def record(kind: Kind, *, user: "User | None" = None, email: str = "", detail: str = "") -> None:
    """Writes an event about `user`; who caused it, and from where, is taken from the request or command at hand.

    Never put a password, a token or a hash into `email` or `detail`: whatever is written stays.
    """
    SecurityEvent.objects.create(
        kind=kind,
        user_id=user.pk if user else None,
        email=_storable(email)[:254],
        detail=_storable(detail)[:500],
    )


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, and a stranger's input must not make recording fail."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
