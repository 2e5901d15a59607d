"""What a plant consists of: zones, machines in them, sensors of these."""

import math
import re
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Concat
from django.utils.timezone import now

from accounts.history import keep_history
from plants.models.plants import Plant
from plants.models.slugs import SlugField, named

if TYPE_CHECKING:
    from accounts.models import User

STATE_NUMBER = re.compile(r"[0-9]{1,9}")


def validate_states(states: object) -> None:
    """`{"0": "stopped", "1": "running", …}`: the labels of a state sensor by their stored number."""
    if not isinstance(states, dict) or not all(
        isinstance(label, str) and label and label.isprintable() and STATE_NUMBER.fullmatch(str(key))
        for key, label in states.items()
    ):
        raise ValidationError('States are an object of labels by number, such as {"0": "stopped", "1": "running"}.')
    if len(set(states.values())) != len(states):
        raise ValidationError("Each state needs a label of its own.")


class ZoneQuerySet(models.QuerySet["Zone"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The zones of the plants that exist for this user."""
        return self.filter(plant__in=Plant.objects.visible_to(user))

    def named(self, names: Iterable[str]) -> Self:
        """Those that one of the names means: a UUID or an address such as `kandy/rolling`."""
        return self.filter(named(names, "plant__slug", "slug"))


@keep_history()
class Zone(models.Model):
    class Kind(models.TextChoices):
        AREA = "area", "Area"
        LINE = "line", "Line"
        CELL = "cell", "Cell"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="zones")
    slug = SlugField()
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.AREA)
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the plant's page: the process order.")

    objects = ZoneQuerySet.as_manager()

    class Meta:
        ordering = ["plant", "position", "name", "slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["plant", "slug"],
                name="zone_slug_once",
                violation_error_message="The plant has a zone with this slug already.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class MachineQuerySet(models.QuerySet["Machine"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The machines of the plants that exist for this user."""
        return self.filter(zone__plant__in=Plant.objects.visible_to(user))

    def named(self, names: Iterable[str]) -> Self:
        """Those that one of the names means: a UUID or an address such as `kandy/rolling/roller-2`."""
        return self.filter(named(names, "zone__plant__slug", "zone__slug", "slug"))


@keep_history()
class Machine(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="machines")
    slug = SlugField()
    name = models.CharField(max_length=120)
    type = models.CharField(max_length=60, blank=True, help_text="What it is, such as pump or dryer.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order within the zone.")

    objects = MachineQuerySet.as_manager()

    class Meta:
        ordering = ["zone", "position", "name", "slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["zone", "slug"],
                name="machine_slug_once",
                violation_error_message="The zone has a machine with this slug already.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class SensorQuerySet(models.QuerySet["Sensor"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The sensors of the plants that exist for this user."""
        return self.filter(machine__zone__plant__in=Plant.objects.visible_to(user))

    def named(self, names: Iterable[str]) -> Self:
        """Those that one of the names means: a UUID or an address such as `kandy/rolling/roller-2/temp`."""
        return self.filter(named(names, "machine__zone__plant__slug", "machine__zone__slug", "machine__slug", "slug"))

    def with_address(self) -> Self:
        """Adds `address_path`, the `plant/zone/machine/sensor` of each sensor, made by the database."""
        slash = models.Value("/")
        return self.annotate(
            address_path=Concat(
                "machine__zone__plant__slug",
                slash,
                "machine__zone__slug",
                slash,
                "machine__slug",
                slash,
                "slug",
                output_field=models.CharField(),
            )
        )


class NextSensorNumber(models.Func):
    """The database's own default of `Sensor.number`."""

    template = "nextval('plants_sensor_number')"
    output_field = models.IntegerField()
    allowed_default = True


@keep_history()
class Sensor(models.Model):
    class Kind(models.TextChoices):
        GAUGE = "gauge", "Gauge"  # a value that goes up and down
        COUNTER = "counter", "Counter"  # a value that only grows, or starts again at zero
        STATE = "state", "State"  # one of a few labels

    class DuplicatePolicy(models.TextChoices):
        KEEP_FIRST = "keep_first", "Keep the first"
        REPLACE = "replace", "Replace by the later"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.IntegerField(
        unique=True,
        editable=False,
        db_default=NextSensorNumber(),
        help_text="The short key that readings and live frames carry.",
    )
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="sensors")
    slug = SlugField()
    name = models.CharField(max_length=120)
    type = models.CharField(max_length=60, blank=True, help_text="What it measures, such as temperature.")
    unit = models.CharField(max_length=20, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.GAUGE)
    states = models.JSONField(
        default=dict,
        blank=True,
        validators=[validate_states],
        help_text='Labels by number, for sensors of kind state: {"0": "stopped", "1": "running"}.',
    )
    decimals = models.PositiveSmallIntegerField(
        default=1, validators=[MaxValueValidator(10)], help_text="Decimals with which values are shown."
    )
    low = models.FloatField(null=True, blank=True, help_text="The lowest plausible value.")
    high = models.FloatField(null=True, blank=True, help_text="The highest plausible value.")
    rollover_at = models.FloatField(
        null=True,
        blank=True,
        help_text="For counters: what is counted where it starts again at zero, such as 65536. "
        "Empty: a fall is a reset.",
    )
    expected_interval_s = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.001)],
        help_text="Seconds between readings. Empty: the sensor reports on change.",
    )
    stale_after_s = models.FloatField(
        default=300,
        validators=[MinValueValidator(0.001)],
        help_text="Seconds without a reading after which the value is stale.",
    )
    duplicate_policy = models.CharField(
        max_length=10,
        choices=DuplicatePolicy,
        default=DuplicatePolicy.KEEP_FIRST,
        help_text="What happens to a second, different value for the same time.",
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Order within the machine.")
    is_active = models.BooleanField(default=True, help_text="Readings of an inactive sensor are refused.")
    created_at = models.DateTimeField(default=now, editable=False)

    objects = SensorQuerySet.as_manager()

    class Meta:
        ordering = ["machine", "position", "name", "slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["machine", "slug"],
                name="sensor_slug_once",
                violation_error_message="The machine has a sensor with this slug already.",
            ),
            models.CheckConstraint(
                condition=models.Q(rollover_at=None) | models.Q(kind="counter", rollover_at__gt=0),
                name="sensor_rolls_over_above_zero",
                violation_error_message="Only a counter rolls over, at a number above zero.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """`plant/zone/machine/sensor`: the sensor's place in MQTT and its natural key."""
        zone = self.machine.zone
        return f"{zone.plant.slug}/{zone.slug}/{self.machine.slug}/{self.slug}"

    def clean(self) -> None:
        if self.kind == self.Kind.STATE and not self.states:
            raise ValidationError({"states": "A sensor of kind state needs at least one label."})
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValidationError({"high": "The highest plausible value must be above the lowest."})
        if self.rollover_at is not None and self.kind != self.Kind.COUNTER:
            raise ValidationError({"rollover_at": "Only a counter rolls over."})
        if self.rollover_at is not None and not 0 < self.rollover_at < math.inf:
            raise ValidationError({"rollover_at": "A counter rolls over at a number above zero."})
