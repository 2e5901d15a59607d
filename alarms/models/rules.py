"""Rules: what is abnormal for which sensors, how bad that is, and what to do about it."""

import re
import uuid
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import now

from accounts.history import keep_history
from alarms.models.severity import Severity
from plants.models import Machine, Plant, Sensor, Zone

if TYPE_CHECKING:
    from accounts.models import User

LONGEST_DELAY_S = 7 * 86_400
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
SCHEDULE_FORM = (
    'A schedule is {"days": [1, 2, 3, 4, 5], "from": "06:00", "to": "22:00"}: days by number, Monday is 1; times of '
    "the plant, from the first and before the second, which may be on the next day."
)


def validate_schedule(schedule: object) -> None:
    """`{}`, which is always, or the form of SCHEDULE_FORM."""
    match schedule:
        case {} if not schedule:
            return
        case {"days": list(days), "from": str(start), "to": str(end), **rest} if not rest:
            are_days = days and all(type(day) is int and 1 <= day <= 7 for day in days) and len(set(days)) == len(days)
            if are_days and CLOCK.fullmatch(start) and CLOCK.fullmatch(end) and start != end:
                return
    raise ValidationError(SCHEDULE_FORM)


class RuleQuerySet(models.QuerySet["Rule"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The rules of the plants that exist for this user."""
        return self.filter(plant__in=Plant.objects.visible_to(user))

    def applying_to(self, sensors: models.QuerySet[Sensor]) -> Self:
        """Those that watch one of them, be it by name or by its type; also those that are off."""
        alike = sensors.filter(type=OuterRef("sensor_type"), machine__zone__plant=OuterRef("plant"))
        by_type = (
            Q(Exists(alike), zone=None, machine=None)
            | Q(Exists(alike.filter(machine__zone=OuterRef("zone"))))
            | Q(Exists(alike.filter(machine=OuterRef("machine"))))
        )
        return self.filter(Q(sensor__in=sensors) | ~Q(sensor_type="") & by_type)


@keep_history()
class Rule(models.Model):
    """A condition on one sensor, or on every sensor of a type within a plant, zone or machine.

    The database counts `version` up with every change, whoever makes it, and keeps each as a RuleVersion.
    """

    class Kind(models.TextChoices):
        HIGH_HIGH = "high_high", "High-high"
        HIGH = "high", "High"
        LOW = "low", "Low"
        LOW_LOW = "low_low", "Low-low"
        RATE = "rate", "Rate of change"
        DEVIATION = "deviation", "Deviation"
        STUCK = "stuck", "Stuck value"
        STATE = "state", "State"
        NO_DATA = "no_data", "No data"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="rules")
    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    sensor = models.ForeignKey(Sensor, on_delete=models.CASCADE, null=True, blank=True, related_name="rules")
    sensor_type = models.CharField(
        max_length=60, blank=True, help_text="Instead of one sensor: all of this type in the plant, zone or machine."
    )
    kind = models.CharField(max_length=10, choices=Kind)
    setpoint = models.FloatField(
        null=True,
        blank=True,
        help_text="The limit, in the sensor's unit. Rate of change: units a minute, up or down. Deviation: units away "
        "from the other sensor. Stuck value: seconds. State: its number. No data: seconds, or empty for the time after "
        "which the sensor's value is stale.",
    )
    reference = models.ForeignKey(
        Sensor,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Deviation: the sensor from which the value deviates.",
    )
    deadband = models.FloatField(
        default=0,
        validators=[MinValueValidator(0)],
        help_text="How far back inside the limit the value must come before the alarm clears. Stuck value: how "
        "little is no change.",
    )
    on_delay_s = models.FloatField(
        "on-delay",
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(LONGEST_DELAY_S)],
        help_text="Seconds for which it must hold before the alarm is raised.",
    )
    off_delay_s = models.FloatField(
        "off-delay",
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(LONGEST_DELAY_S)],
        help_text="Seconds for which it must be over before the alarm clears.",
    )
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.MEDIUM)
    message = models.CharField(
        max_length=200, blank=True, help_text="What is wrong, in words. Empty: the sensor and the kind of rule."
    )
    advice = models.TextField(max_length=2000, blank=True, help_text="What whoever sees the alarm should do.")
    schedule = models.JSONField(
        default=dict, blank=True, validators=[validate_schedule], help_text=f"Empty: always. {SCHEDULE_FORM}"
    )
    is_enabled = models.BooleanField("enabled", default=True, help_text="A rule that is off closes its alarms.")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, editable=False)

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering = ("plant", "created_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(sensor__isnull=False, sensor_type="", zone=None, machine=None)
                | Q(Q(zone=None) | Q(machine=None), sensor=None) & ~Q(sensor_type=""),
                name="rule_has_one_target",
                violation_error_message="A rule is about one sensor, or about a type of sensor in the plant, in one "
                "zone or on one machine.",
            ),
            models.CheckConstraint(
                condition=Q(kind="no_data") | Q(setpoint__isnull=False),
                name="rule_has_setpoint",
                violation_error_message="The rule needs a setpoint.",
            ),
            models.CheckConstraint(
                condition=Q(kind="deviation", reference__isnull=False) | ~Q(kind="deviation") & Q(reference=None),
                name="rule_has_reference",
                violation_error_message="A deviation, and nothing else, has a sensor from which the value deviates.",
            ),
        )

    def __str__(self) -> str:
        return self.message or f"{self.target}: {self.get_kind_display().lower()}"

    @property
    def target(self) -> str:
        """What it is about, in words."""
        if self.sensor is not None:
            return self.sensor.name
        place = self.machine or self.zone or self.plant
        return f"{self.sensor_type} of {place.name}"

    def applies_to(self, sensor: Sensor) -> bool:
        """Whether it watches this sensor, by name or by its type; as `applying_to` says of rows."""
        if self.sensor_id is not None:
            return self.sensor_id == sensor.pk
        zone = sensor.machine.zone
        return (
            self.sensor_type == sensor.type
            and self.plant_id == zone.plant_id
            and self.zone_id in (None, zone.pk)
            and self.machine_id in (None, sensor.machine_id)
        )

    def clean(self) -> None:
        """What a row alone does not tell: that all of it is of one plant, and that its numbers mean something."""
        if self.sensor is not None:
            self.plant = self.sensor.machine.zone.plant
        elif self.plant_id is None:
            raise ValidationError({"plant": "Name the plant, or one sensor."}, code="required")
        problems: dict[str, str] = {}
        places = {
            "zone": self.zone and self.zone.plant_id,
            "machine": self.machine and self.machine.zone.plant_id,
            "reference": self.reference and self.reference.machine.zone.plant_id,
        }
        for field, plant in places.items():
            if plant and plant != self.plant_id:
                problems[field] = "It belongs to another plant."
        if self.reference is not None and self.reference == self.sensor:
            problems["reference"] = "A sensor does not deviate from itself."
        if self.setpoint is None and self.kind != self.Kind.NO_DATA:
            problems["setpoint"] = "The rule needs a setpoint."
        elif self.setpoint is not None and (problem := self._setpoint_problem(self.setpoint)):
            problems["setpoint"] = problem
        if problems:
            raise ValidationError(problems)

    def _setpoint_problem(self, setpoint: float) -> str:
        if self.kind in (self.Kind.RATE, self.Kind.STUCK, self.Kind.NO_DATA) and setpoint <= 0:
            return "Must be above 0."
        if self.kind == self.Kind.DEVIATION and setpoint < 0:
            return "Must be 0 or more."
        if self.kind == self.Kind.STATE and self.sensor is not None:
            states = self.sensor.states
            if str(int(setpoint)) not in states or setpoint != int(setpoint):
                known = ", ".join(f"{number} ({label})" for number, label in sorted(states.items())) or "none"
                return f"The sensor has no such state; it has: {known}."
        return ""


class RuleVersion(models.Model):
    """A rule as it was from one change to the next; append-only, and stays when the rule is deleted.

    Rows are made by the database's trigger on Rule alone.
    """

    rule = models.ForeignKey(Rule, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()  # the row of Rule, by column
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ("rule", "number")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("rule", "number"), name="rule_version_once"),)

    def __str__(self) -> str:
        return f"version {self.number} of rule {self.rule_id}"


def is_scheduled(schedule: dict[str, Any], local: datetime) -> bool:
    """Whether a rule with this schedule watches at this local time of its plant."""
    if not schedule:
        return True
    start, end = time.fromisoformat(schedule["from"]), time.fromisoformat(schedule["to"])
    clock = local.time()
    days = schedule["days"]
    if start < end:
        return start <= clock < end and local.isoweekday() in days
    if clock >= start:
        return local.isoweekday() in days
    return clock < end and (local.isoweekday() - 2) % 7 + 1 in days  # the shift began on the day before
