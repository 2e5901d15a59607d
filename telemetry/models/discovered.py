"""The quarantine: sensors that devices send for and nobody has made, with what they sent, until somebody decides."""

import uuid
from datetime import datetime
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from plants.models import Plant, Sensor


class NextDiscoveredNumber(models.Func):
    """The database's own default of `DiscoveredSensor.number`."""

    template = "nextval('discovered_sensor_number')"
    output_field = models.IntegerField()
    allowed_default = True


def _slug(level: int) -> models.Func:
    """Of the outer row's address, counted from 1; by levels, for which there are indexes."""
    return models.Func(
        models.OuterRef("address"),
        models.Value("/"),
        models.Value(level),
        function="split_part",
        output_field=models.TextField(),
    )


class DiscoveredSensorQuerySet(models.QuerySet["DiscoveredSensor"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """All for an admin; else those of the plants that this user operates."""
        if not isinstance(user, User) or not user.is_active or not user.may_operate:
            return self.none()
        return self if user.is_superuser else self.filter(plant__in=Plant.objects.visible_to(user))

    def new(self) -> Self:
        return self.filter(state=DiscoveredSensor.State.NEW)

    def due(self) -> Self:
        """Those for whom nobody has to decide any more.

        A sensor of their address has been made some other way, their plant creates at once, or more has come in
        between their adoption and the moment when ingest knew of it.
        """
        has_sensor = models.Exists(
            Sensor.objects.filter(
                slug=_slug(4),
                machine__slug=_slug(3),
                machine__zone__slug=_slug(2),
                machine__zone__plant=models.OuterRef("plant"),
            )
        )
        more_has_come = Q(state=DiscoveredSensor.State.ADOPTED, kept__gt=0, count__gt=F("drained"))
        is_new = Q(state=DiscoveredSensor.State.NEW)
        creates = Q(plant__on_unknown=Plant.OnUnknown.CREATE)
        return self.filter((is_new & creates) | (has_sensor & (is_new | more_has_come)))

    def ignore(self, by: User, moment: datetime) -> int:
        """Those that are new; gives their number."""
        return self.new().update(state=DiscoveredSensor.State.IGNORED, decided_at=moment, decided_by=by)


class DiscoveredSensor(models.Model):
    """An address that devices of a plant send for; ingest writes it, never through the ORM (ingest/quarantine.py)."""

    class State(models.TextChoices):
        NEW = "new"
        ADOPTED = "adopted"
        IGNORED = "ignored"  # goes on being counted; its samples are not kept

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.IntegerField(  # the key that quarantined samples carry
        unique=True, editable=False, db_default=NextDiscoveredNumber()
    )
    # The database itself deletes the rows with their plant: ingest may be adding some at that moment.
    plant = models.ForeignKey(Plant, models.DO_NOTHING, db_constraint=False, related_name="+")
    address = models.TextField(unique=True)  # plant/zone/machine/sensor
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    count = models.BigIntegerField(default=0)  # samples that came, those delivered twice counted twice
    kept = models.IntegerField(default=0)  # of them in the quarantine
    not_kept = models.BigIntegerField(default=0)  # of them, since the quarantine was full or the address ignored
    drained = models.BigIntegerField(default=0)  # the count up to which the quarantine was last emptied
    last_time = models.DateTimeField(null=True, blank=True)  # of the newest sample, by its own time
    last_value = models.FloatField(null=True, blank=True)
    last_label = models.TextField(blank=True)  # where it was no number
    last_quality = models.SmallIntegerField(null=True, blank=True)
    state = models.TextField(choices=State, default=State.NEW)
    sensor = models.ForeignKey(Sensor, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = DiscoveredSensorQuerySet.as_manager()

    class Meta:
        db_table = "discovered_sensor"
        ordering = ("address",)

    def __str__(self) -> str:
        return self.address

    def adopted(self, sensor: Sensor, by: User | None, moment: datetime) -> None:
        """Notes the sensor to which its samples belong; None did it by himself where the plant creates at once."""
        self.state, self.sensor, self.decided_at, self.decided_by = self.State.ADOPTED, sensor, moment, by
        self.save(update_fields=["state", "sensor", "decided_at", "decided_by"])

    def ignore(self, by: User, moment: datetime) -> bool:
        """Notes that nobody wants it; False where it was decided before."""
        return self._decide(self.State.NEW, self.State.IGNORED, by, moment)

    def unignore(self, by: User, moment: datetime) -> bool:
        """Takes that back, so that samples are kept again; False where it was not ignored."""
        return self._decide(self.State.IGNORED, self.State.NEW, by, moment)

    def _decide(self, old: State, new: State, by: User, moment: datetime) -> bool:
        rows = DiscoveredSensor.objects.filter(pk=self.pk, state=old)
        decided = rows.update(state=new, decided_at=moment, decided_by=by)
        if decided:
            self.state, self.decided_at, self.decided_by = new, moment, by
        return bool(decided)


class QuarantinedSample(models.Model):
    """A sample as it was decoded; a table as narrow as that of readings, for there may be as many."""

    pk = models.CompositePrimaryKey("discovered", "time")
    discovered = models.IntegerField()  # DiscoveredSensor.number; no foreign key, for a check a row is too much
    time = models.DateTimeField()
    value = models.FloatField(null=True)
    label = models.TextField(null=True)  # noqa: DJ001 a sample has one of the two
    quality = models.SmallIntegerField()

    class Meta:
        db_table = "quarantined_sample"

    def __str__(self) -> str:
        return f"sample of {self.discovered} at {self.time:%Y-%m-%d %H:%M:%S} UTC"
