"""Notification channels: where a plant's alarms are told, by email or to a program.

A webhook's secret is HMAC-SHA256 of the channel's id and a random salt under DEVICE_KEY, as a device's is: it is shown
once and not kept, and who has the database alone cannot make it.
"""

import base64
import secrets
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, validate_email
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from accounts.history import keep_history
from plants.models import Plant

if TYPE_CHECKING:
    from accounts.models import User

KEY_LABEL = "inqube.notifications.secret"  # no other use of the key makes the same
SALT_BYTES = 16
MOST_ADDRESSES = 50
LONGEST_REASON = 300
FLOOD_LIMIT = 10  # ISA-18.2: more than ten alarms in ten minutes are a flood, which nobody can follow one by one


def new_salt() -> str:
    return secrets.token_hex(SALT_BYTES)


def validate_addresses(text: str) -> None:
    """One email address a line."""
    addresses = text.split()
    if len(addresses) > MOST_ADDRESSES:
        raise ValidationError(f"At most {MOST_ADDRESSES} addresses: give the people a list of their own.")
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(f"“{address}” is not an email address.") from None


def validate_webhook(url: str) -> None:
    """What can be sent to. Whether its host may be is known only when it is resolved, each time."""
    try:
        parts = urlsplit(url)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or not url.isascii() or not url.isprintable() or " " in url:
        raise ValidationError("An address such as https://example.org/alarms.")
    if parts.username is not None or parts.password is not None:
        raise ValidationError("No user name or password in the address: the signature says who sends.")


class NotificationChannelQuerySet(models.QuerySet["NotificationChannel"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The channels of the plants that exist for this user."""
        return self.filter(plant__in=Plant.objects.visible_to(user))

    def failing(self) -> Self:
        """Those in use whose last message, or attempt at one, failed."""
        never_worked = Q(last_success_at=None, last_failure_at__isnull=False)
        return self.filter(never_worked | Q(last_failure_at__gt=F("last_success_at")), is_enabled=True)


@keep_history(exclude=("secret_salt", "last_success_at", "last_failure_at", "last_failure"), secret="secret_salt")
class NotificationChannel(models.Model):
    class Kind(models.TextChoices):
        EMAIL = "email", "Email"
        WEBHOOK = "webhook", "Webhook"

    class Format(models.TextChoices):
        JSON = "json", "JSON"
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="notification_channels")
    name = models.CharField(max_length=80, help_text="Who hears of it, such as Maintenance on duty.")
    kind = models.CharField(max_length=10, choices=Kind)
    addresses = models.TextField(
        "email addresses", blank=True, max_length=5000, validators=[validate_addresses], help_text="Email: one a line."
    )
    url = models.CharField(
        "webhook address",
        blank=True,
        max_length=1000,
        validators=[validate_webhook],
        help_text="Webhook: where to POST. It must be in the public internet, unless NOTIFY_PRIVATE_NETWORKS allows "
        "its network.",
    )
    format = models.CharField(
        max_length=10,
        choices=Format,
        default=Format.JSON,
        help_text="Webhook: JSON for programs; Slack for an incoming webhook; Microsoft Teams for a workflow “when a "
        "webhook request is received”, which posts the card.",
    )
    tells_clearing = models.BooleanField("also say when it clears", default=False)
    flood_limit = models.PositiveIntegerField(
        "flood limit",
        default=FLOOD_LIMIT,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="More messages than that in ten minutes come as one digest.",
    )
    is_enabled = models.BooleanField("enabled", default=True)
    secret_salt = models.CharField(max_length=2 * SALT_BYTES, default=new_salt, editable=False)
    last_success_at = models.DateTimeField("last success", null=True, blank=True, editable=False)
    last_failure_at = models.DateTimeField("last failure", null=True, blank=True, editable=False)
    last_failure = models.CharField(max_length=LONGEST_REASON, blank=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    objects = NotificationChannelQuerySet.as_manager()

    class Meta:
        ordering = ("plant", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("plant", "name"),
                name="notification_channel_name_once",
                violation_error_message="The plant has a channel with this name already.",
            ),
            models.CheckConstraint(
                condition=Q(kind="email", url="") & ~Q(addresses="") | Q(kind="webhook", addresses="") & ~Q(url=""),
                name="notification_channel_has_one_target",
                violation_error_message="Email needs addresses and no webhook; a webhook its address and no email.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def health(self) -> str:
        """In words: `works`, or what went wrong last."""
        if not self.is_enabled:
            return "off"
        success, failure = self.last_success_at, self.last_failure_at
        if failure is not None and (success is None or failure > success):
            return f"fails: {self.last_failure}"
        return "works" if success is not None else "not used yet"

    @property
    def target(self) -> str:
        """Where it leads, without what a webhook's path may have of a secret."""
        if self.kind == self.Kind.EMAIL:
            return ", ".join(self.addresses.split())
        return urlsplit(self.url).hostname or ""

    @property
    def secret(self) -> str:
        """What signs a webhook's messages, in 43 characters."""
        key = settings.DEVICE_KEY or settings.SECRET_KEY
        value = self.pk.bytes + bytes.fromhex(self.secret_salt)
        digest = salted_hmac(KEY_LABEL, value, secret=key, algorithm="sha256").digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def rotate(self) -> str:
        """Another secret, from the next message on."""
        self.secret_salt = new_salt()
        self.save(update_fields=["secret_salt"])
        return self.secret

    def note_success(self, at: datetime) -> None:
        NotificationChannel.objects.filter(pk=self.pk).update(last_success_at=at)

    def note_failure(self, at: datetime, reason: str) -> None:
        NotificationChannel.objects.filter(pk=self.pk).update(last_failure_at=at, last_failure=reason[:LONGEST_REASON])
