"""Decisions: what a person decided about an alarm or a machine, and why. Append-only."""

import uuid
from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from accounts.models import User
from alarms.models.alarms import Actor, Alarm, Source
from plants.models import Machine, Plant, Sensor

LONGEST_REASON = 2000
MOST_SENSORS = 20  # what anybody compares


class DecisionQuerySet(models.QuerySet["Decision"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The decisions of the plants that exist for this user."""
        return self.filter(plant__in=Plant.objects.visible_to(user))

    def record(
        self, by: Actor, *, alarm: Alarm | None = None, machine: Machine | None = None, **what: Any
    ) -> "Decision":
        """Writes down `action`, `reason` and `sensors` (their ids). Raises ValidationError."""
        decision = Decision.about(alarm, machine, **what)
        decision.user, decision.actor, decision.source = by.user, str(by.user), by.source
        decision.clean()
        decision.save(force_insert=True)
        return decision


class Decision(models.Model):
    """One row for each decision; the database refuses to change or remove it."""

    class Action(models.TextChoices):
        ACCEPT = "accept", "Accept"
        REJECT = "reject", "Reject"
        DEFER = "defer", "Defer"
        MANUAL_ACTION = "manual_action", "Manual action"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Rows stay when what they are about is deleted: nothing here can be changed.
    plant = models.ForeignKey(Plant, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    alarm = models.ForeignKey(Alarm, models.DO_NOTHING, db_constraint=False, null=True, related_name="decisions")
    machine = models.ForeignKey(Machine, models.DO_NOTHING, db_constraint=False, null=True, related_name="+")
    sensors = ArrayField(models.UUIDField(), default=list, help_text="Whose values before and after may be compared.")
    action = models.CharField(max_length=16, choices=Action)
    reason = models.CharField(max_length=LONGEST_REASON)
    at = models.DateTimeField(default=now)
    user = models.ForeignKey(User, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    actor = models.CharField(max_length=254)  # their name at that time
    source = models.CharField(max_length=10, choices=Source)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ("-at", "id")
        default_permissions = ("view",)
        constraints = (
            models.CheckConstraint(condition=Q(alarm__isnull=False) | Q(machine__isnull=False), name="decision_about"),
        )
        indexes = (models.Index(fields=("plant", "-at", "id"), name="decision_of_plant"),)

    def __str__(self) -> str:
        return f"{self.get_action_display()} by {self.actor}"

    @classmethod
    def about(cls, alarm: Alarm | None, machine: Machine | None, **what: Any) -> Self:
        """On an alarm, which brings its machine, or on a machine; of their plant."""
        if alarm is not None and machine is None:
            return cls(alarm=alarm, machine_id=alarm.machine_id, plant_id=alarm.plant_id, **what)
        if machine is not None and alarm is None:
            return cls(machine=machine, plant_id=machine.zone.plant_id, **what)
        raise ValidationError("A decision is about an alarm or about a machine; name one of both.")

    def clean(self) -> None:
        if not self.reason.strip():
            raise ValidationError({"reason": "Say why: whoever reads it later was not there."})
        known = Sensor.objects.filter(pk__in=self.sensors, machine__zone__plant=self.plant_id)
        if known.count() != len(self.sensors):
            raise ValidationError({"sensors": "Name sensors of the plant that it is about, each once."})
