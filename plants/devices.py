"""Devices: what connects to send readings, with credentials of its own for a part of one plant.

A secret is 256 random bits, made here and shown once. Its hash is one round of salted SHA-256: passwords need a slow
hash because people choose guessable ones, but nobody guesses 256 bits, and a device may come every second.
"""

import hashlib
import hmac
import secrets
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.core.validators import RegexValidator
from django.db import models
from django.utils.timezone import now

from accounts.history import keep_history
from plants.models import Plant, SlugField, named

if TYPE_CHECKING:
    from accounts.models import User

SECRET_BYTES = 32
SALT_BYTES = 16
SEEN_EVERY = timedelta(seconds=10)  # `last_seen` is no finer: a device that sends every second writes no row each time
PREFIX_PATTERN = r"^([a-z0-9][a-z0-9_-]{0,62}(/[a-z0-9][a-z0-9_-]{0,62})?)?$"
prefix_validator = RegexValidator(
    PREFIX_PATTERN.replace("$", r"\Z"), "Use the slug of a zone, or zone/machine, or nothing for the whole plant."
)
IS_REVOKED = "The device is revoked, which is for good: make a new one."


class RevokedError(Exception):
    """The device has no secret any more; its text may be shown."""


def hashed(secret: str, salt: bytes | None = None) -> str:
    """`salt$digest`, both in hexadecimal."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    return f"{salt.hex()}${hashlib.sha256(salt + secret.encode()).hexdigest()}"


def matches(secret: str, stored: str) -> bool:
    salt, _, _ = stored.partition("$")
    return hmac.compare_digest(hashed(secret, bytes.fromhex(salt)), stored)


class DeviceQuerySet(models.QuerySet["Device"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The devices whose credentials a user may choose: all for an admin, else those of the plants they own."""
        if user.is_superuser:
            return self
        return self.filter(plant__in=Plant.objects.owned_by(user))

    def authenticate(self, name: str, secret: str) -> "Device | None":
        """The device of this id or `plant/name`, if it has this secret and is not revoked."""
        device = self.select_related("plant").filter(named([name], "plant__slug", "name"), revoked_at=None).first()
        return device if device is not None and device.has_secret(secret) else None


@keep_history(
    exclude=("secret_hash", "previous_secret_hash", "previous_valid_until", "last_seen"), secret="secret_hash"
)
class Device(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="devices")
    name = SlugField(help_text="A slug; plant/name is the device's user name.")
    prefix = models.CharField(
        max_length=127,
        blank=True,
        validators=[prefix_validator],
        help_text="The zone or zone/machine for which it may send. Empty: the whole plant.",
    )
    secret_hash = models.CharField(max_length=97, editable=False)
    previous_secret_hash = models.CharField(max_length=97, blank=True, editable=False)
    previous_valid_until = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_seen = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        ordering = ["plant", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["plant", "name"],
                name="device_name_once",
                violation_error_message="The plant has a device with this name already.",
            ),
            models.CheckConstraint(condition=models.Q(prefix__regex=PREFIX_PATTERN), name="device_prefix_of_slugs"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def root(self) -> str:
        """What the addresses of all its sensors begin with: `kandy/`, `kandy/rolling/` or `kandy/rolling/roller-2/`."""
        return f"{self.plant.slug}/{self.prefix}/" if self.prefix else f"{self.plant.slug}/"

    def issue_secret(self) -> str:
        """Gives a device that is not saved yet its first secret, which nobody can read again."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        self.secret_hash = hashed(secret)
        return secret

    def has_secret(self, secret: str) -> bool:
        """Whether this is its secret, or the one before while that is still good."""
        if matches(secret, self.secret_hash):
            return True
        until = self.previous_valid_until
        return until is not None and now() < until and matches(secret, self.previous_secret_hash)

    def rotate(self, grace: timedelta) -> str:
        """A new secret; the present one stays good for `grace`, any older one ends. Raises RevokedError."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        changed = Device.objects.filter(pk=self.pk, revoked_at=None).update(
            previous_secret_hash=models.F("secret_hash"),
            previous_valid_until=now() + grace,
            secret_hash=hashed(secret),
        )
        if not changed:
            raise RevokedError(IS_REVOKED)
        self.refresh_from_db()
        return secret

    def revoke(self) -> None:
        """Ends all its secrets, for good."""
        Device.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now())
        self.refresh_from_db()

    def note_seen(self) -> None:
        moment = now()
        unseen = models.Q(last_seen=None) | models.Q(last_seen__lt=moment - SEEN_EVERY)
        Device.objects.filter(unseen, pk=self.pk).update(last_seen=moment)
