"""Deliveries: each message about an alarm to a channel, and each attempt to bring it there."""

import uuid
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models.functions import Now

from alarms.models.alarms import Alarm, AlarmEvent
from alarms.models.channels import LONGEST_REASON, NotificationChannel
from alarms.models.policies import NotificationStep
from plants.models import Plant

if TYPE_CHECKING:
    from accounts.models import User


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The deliveries of the plants that exist for this user."""
        return self.filter(plant__in=Plant.objects.visible_to(user))


class Delivery(models.Model):
    """One message to one channel; an event of an alarm makes at most one for a channel and step."""

    class Kind(models.TextChoices):
        RAISED = "raised", "Raised"
        CLEARED = "cleared", "Cleared"
        DIGEST = "digest", "Digest"
        TEST = "test", "Test"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        COLLECTED = "collected", "Collected for a digest"
        FAILED = "failed", "Failed"
        DROPPED = "dropped", "Not sent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # What it was about may go; that it was told stays.
    plant = models.ForeignKey(Plant, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    channel = models.ForeignKey(NotificationChannel, models.SET_NULL, null=True, db_index=False, related_name="+")
    channel_name = models.CharField(max_length=80)
    alarm = models.ForeignKey(Alarm, models.SET_NULL, null=True, related_name="deliveries")
    event = models.ForeignKey(
        AlarmEvent, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    step = models.ForeignKey(NotificationStep, models.SET_NULL, null=True, related_name="+")
    after_min = models.PositiveIntegerField("minutes", default=0)  # of the step
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    due_at = models.DateTimeField("due")
    was_put_off = models.BooleanField(default=False)  # by quiet hours
    claimed_at = models.DateTimeField(null=True)  # the last attempt's beginning
    attempts = models.PositiveIntegerField(default=0)
    told = models.JSONField(default=list)  # email addresses that a broken attempt has reached
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)  # why it was not sent, or how it failed last
    digest = models.ForeignKey("self", models.SET_NULL, null=True, related_name="collected")
    created_at = models.DateTimeField("time", db_default=Now())
    done_at = models.DateTimeField("done", null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        default_permissions = ("view",)
        verbose_name_plural = "deliveries"
        constraints = (models.UniqueConstraint(fields=("event", "channel", "after_min"), name="delivery_once_a_step"),)
        indexes = (
            models.Index(fields=("plant", "-created_at"), name="delivery_of_plant"),
            models.Index(fields=("channel", "claimed_at"), name="delivery_of_channel"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.channel_name}"


class DeliveryAttempt(models.Model):
    """One try: what the other side answered, in words."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField("time")
    is_success = models.BooleanField("success")
    outcome = models.CharField(max_length=LONGEST_REASON)
    duration_ms = models.PositiveIntegerField("duration, ms")

    class Meta:
        ordering = ("id",)
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.outcome
