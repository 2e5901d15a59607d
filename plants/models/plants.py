"""Plants, and who belongs to them."""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.timezone import now

from accounts.history import keep_history
from plants.models.slugs import SlugField, named

if TYPE_CHECKING:
    from accounts.models import User

OWNER_STAYS = "The owner of a plant stays a member: name another owner first."


def validate_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Use a name such as Europe/Amsterdam.")


class PlantQuerySet(models.QuerySet["Plant"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The plants that exist for this user: all for an admin, else those they are a member of."""
        if not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(memberships__user=user)

    def visible_to_each(self, users: "Iterable[User]") -> set[tuple[uuid.UUID, uuid.UUID]]:
        """(user, plant) for each of these plants that `visible_to` gives each of the users; two queries for all."""
        active = [user for user in users if user.is_active]
        admins = [user.pk for user in active if user.is_superuser]
        others = [user.pk for user in active if not user.is_superuser]
        pairs = set(self.filter(memberships__user__in=others).values_list("memberships__user_id", "pk"))
        return pairs | {(user, plant) for plant in self.values_list("pk", flat=True) for user in admins}

    def owned_by(self, user: "User | AnonymousUser") -> Self:
        """The plants whose members this user may choose beside the admins: what they own of what they see."""
        return self.visible_to(user).filter(owner=user.pk)

    def named(self, names: Iterable[str]) -> Self:
        """Those that one of the names means: a UUID or an address such as `kandy`."""
        return self.filter(named(names, "slug"))


@keep_history()
class Plant(models.Model):
    class OnUnknown(models.TextChoices):
        QUARANTINE = "quarantine", "Keep and ask"
        CREATE = "create", "Create the sensor"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = SlugField(unique=True)
    name = models.CharField(max_length=120)
    location = models.CharField(max_length=120, blank=True)
    timezone = models.CharField(
        max_length=64, default="UTC", validators=[validate_timezone], help_text="Such as Europe/Amsterdam."
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_plants", null=True, blank=True
    )
    on_unknown = models.CharField(
        "on unknown sensors",
        max_length=10,
        choices=OnUnknown,
        default=OnUnknown.QUARANTINE,
        help_text="What happens when a device sends for a sensor that does not exist.",
    )
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="plants", blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    objects = PlantQuerySet.as_manager()

    class Meta:
        ordering = ["name", "slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The memberships that a user may see and change: all for an admin, else those of the plants they own.

        An owner is made a member by the database; without a membership the plant does not exist for them either.
        """
        if user.is_superuser:
            return self
        return self.filter(plant__in=Plant.objects.owned_by(user))


@keep_history()
class Membership(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="memberships")
    created_at = models.DateTimeField(default=now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "plant"],
                name="membership_once",
                violation_error_message="This user is a member of the plant already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.plant}"
