"""Notification policies: which alarms of a plant are told on which channels, how soon, and when not."""

import uuid
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now

from accounts.history import keep_history
from alarms.models.channels import NotificationChannel
from alarms.models.severity import Severity
from plants.models import Plant

if TYPE_CHECKING:
    from accounts.models import User

LONGEST_STEP_MIN = 7 * 24 * 60


class NotificationPolicyQuerySet(models.QuerySet["NotificationPolicy"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The policies of the plants that exist for this user."""
        return self.filter(plant__in=Plant.objects.visible_to(user))


@keep_history()
class NotificationPolicy(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="notification_policies")
    name = models.CharField(max_length=80)
    severity = models.CharField(
        max_length=10, choices=Severity, default=Severity.HIGH, help_text="Alarms of this severity, and worse ones."
    )
    quiet_from = models.TimeField(
        null=True,
        blank=True,
        help_text="Quiet hours, by the plant's clock: what comes in them is told when they are over, if the alarm is "
        "still active and nobody has acknowledged it.",
    )
    quiet_to = models.TimeField(null=True, blank=True, help_text="May be on the next day.")
    breaks_through = models.CharField(
        max_length=10,
        choices=Severity,
        default=Severity.CRITICAL,
        blank=True,
        help_text="Alarms of this severity, and worse ones, are told in quiet hours too. Empty: none.",
    )
    is_enabled = models.BooleanField("enabled", default=True)
    created_at = models.DateTimeField(default=now, editable=False)

    objects = NotificationPolicyQuerySet.as_manager()

    class Meta:
        ordering = ("plant", "name")
        verbose_name_plural = "notification policies"
        constraints = (
            models.UniqueConstraint(
                fields=("plant", "name"),
                name="notification_policy_name_once",
                violation_error_message="The plant has a policy with this name already.",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False) & ~Q(quiet_from=F("quiet_to")),
                name="notification_policy_quiet_hours",
                violation_error_message="Quiet hours have a beginning and an end, and these differ.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class NotificationStepQuerySet(models.QuerySet["NotificationStep"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        return self.filter(policy__plant__in=Plant.objects.visible_to(user))


@keep_history()
class NotificationStep(models.Model):
    """A channel of a policy, told at once or when nobody has acknowledged the alarm for some minutes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    policy = models.ForeignKey(NotificationPolicy, on_delete=models.CASCADE, related_name="steps")
    channel = models.ForeignKey(NotificationChannel, on_delete=models.CASCADE, related_name="steps")
    after_min = models.PositiveIntegerField(
        "minutes",
        default=0,
        validators=[MaxValueValidator(LONGEST_STEP_MIN)],
        help_text="0: at once. Else: when the alarm has been active for so long and nobody has acknowledged it.",
    )

    objects = NotificationStepQuerySet.as_manager()

    class Meta:
        ordering = ("policy", "after_min", "channel__name")
        constraints = (
            models.UniqueConstraint(
                fields=("policy", "channel", "after_min"),
                name="notification_step_once",
                violation_error_message="The policy has this step already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel} {f'after {self.after_min} min' if self.after_min else 'at once'}"
