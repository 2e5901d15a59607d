"""Devices: what connects to send readings, with credentials of its own for a part of one plant.

A secret is HMAC-SHA256 of the device's id and a random salt under DEVICE_KEY, which is not in the database. It is shown
once and not kept: who has the database alone cannot make it, and InQube can, for a broker that has lost its accounts
and takes nothing but plain secrets.
Its hash is one round of salted SHA-256: passwords need a slow hash because people choose guessable ones, but nobody
guesses 256 bits, and a device may come every second.
"""

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import RegexValidator
from django.db import connection, models
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from accounts.history import keep_history
from plants.models.plants import Plant
from plants.models.slugs import SlugField, named

if TYPE_CHECKING:
    from accounts.models import User

KEY_LABEL = "inqube.devices.secret"  # no other use of SECRET_KEY, from which the key comes by default, makes the same
SALT_BYTES = 16
GENERATION = re.compile(r"\.[0-9]{1,9}\Z")  # of a user name; no slug has a dot
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


def derived(device_id: uuid.UUID, salt: bytes) -> str:
    """The secret of this device and salt, in 43 characters."""
    key = settings.DEVICE_KEY or settings.SECRET_KEY
    digest = salted_hmac(KEY_LABEL, device_id.bytes + salt, secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Heard(NamedTuple):
    """What a device, by the slug of its plant and its name, said of itself; `at` is None where that is not known."""

    plant: str
    device: str
    is_online: bool
    at: datetime | None


# Few devices change at once, and a broker repeats at each connection what it has retained.
NOTE = """
UPDATE plants_device AS device
SET is_online = heard.is_online, last_seen = greatest(device.last_seen, heard.at)
FROM unnest(%s::text[], %s::text[], %s::boolean[], %s::timestamptz[]) AS heard (plant, name, is_online, at)
JOIN plants_plant AS plant ON plant.slug = heard.plant
WHERE device.plant_id = plant.id AND device.name = heard.name
  AND (device.is_online IS DISTINCT FROM heard.is_online OR heard.at > coalesce(device.last_seen, '-infinity'))
"""


class DeviceQuerySet(models.QuerySet["Device"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The devices whose credentials a user may choose: all for an admin, else those of the plants they own."""
        if user.is_superuser:
            return self
        return self.filter(plant__in=Plant.objects.owned_by(user))

    def authenticate(self, name: str, secret: str) -> "Device | None":
        """The device of this id, `plant/name` or user name, if it has this secret and is not revoked."""
        names = named([GENERATION.sub("", name)], "plant__slug", "name")
        device = self.select_related("plant").filter(names, revoked_at=None).first()
        return device if device is not None and device.has_secret(secret) else None

    def note(self, heard: Sequence[Heard]) -> int:
        """Keeps what devices said of themselves, each once; gives how many rows that changed."""
        with connection.cursor() as cursor:
            cursor.execute(NOTE, list(map(list, zip(*heard, strict=True))))
            return cursor.rowcount


@keep_history(
    exclude=(
        "secret_hash",
        "generation",
        "previous_secret_hash",
        "previous_valid_until",
        "broker_digest",
        "last_seen",
        "is_online",
    ),
    secret="secret_hash",
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
    generation = models.PositiveIntegerField(default=1, editable=False)  # of the secret: one higher at each rotation
    previous_secret_hash = models.CharField(max_length=97, blank=True, editable=False)
    previous_valid_until = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    broker_digest = models.CharField(max_length=64, blank=True, editable=False)  # plants.broker: what it has of us
    last_seen = models.DateTimeField(null=True, blank=True, editable=False)
    is_online = models.BooleanField(null=True, editable=False)  # by its own word or last will; None: it never said
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

    def name_of(self, generation: int) -> str:
        """The user name of a secret. Each has its own, because an account on a broker has one password."""
        name = f"{self.plant.slug}/{self.name}"
        return name if generation == 1 else f"{name}.{generation}"

    @property
    def username(self) -> str:
        """The user name that goes with its secret."""
        return self.name_of(self.generation)

    def issue_secret(self) -> str:
        """Gives a device that is not saved yet its first secret, which nobody can read again."""
        secret, self.secret_hash = self._new_secret()
        return secret

    def _new_secret(self) -> tuple[str, str]:
        salt = secrets.token_bytes(SALT_BYTES)
        secret = derived(self.pk, salt)
        return secret, hashed(secret, salt)

    def recompute(self, stored: str) -> str | None:
        """The secret of a stored hash; None where it was made with another key, or at random as they once were."""
        secret = derived(self.pk, bytes.fromhex(stored.partition("$")[0]))
        return secret if matches(secret, stored) else None

    def has_secret(self, secret: str) -> bool:
        """Whether this is its secret, or the one before while that is still good."""
        if matches(secret, self.secret_hash):
            return True
        until = self.previous_valid_until
        return until is not None and now() < until and matches(secret, self.previous_secret_hash)

    def rotate(self, grace: timedelta) -> str:
        """A new secret; the present one stays good for `grace`, any older one ends. Raises RevokedError."""
        secret, secret_hash = self._new_secret()
        changed = Device.objects.filter(pk=self.pk, revoked_at=None).update(
            previous_secret_hash=models.F("secret_hash"),
            previous_valid_until=now() + grace,
            secret_hash=secret_hash,
            generation=models.F("generation") + 1,
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
