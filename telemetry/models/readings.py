"""Stored readings: every one in `reading`, the newest of each sensor in `latest`."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from timescale.db.models.fields import TimescaleDateTimeField

from plants.models import Sensor

if TYPE_CHECKING:
    from accounts.models import User


class ReadingQuerySet(models.QuerySet["Reading"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The readings of the sensors that exist for this user."""
        return self.filter(sensor__in=Sensor.objects.visible_to(user))

    def between(self, start: datetime, end: datetime) -> Self:
        """Readings with start <= time < end."""
        return self.filter(time__gte=start, time__lt=end)


class Reading(models.Model):
    """One value of one sensor at one time; ingest writes them with COPY, never through the ORM.

    The eight-byte columns stand first because PostgreSQL aligns them: any other order costs eight bytes a
    row. There is no foreign key constraint (a check per row on the hot path) and no surrogate key (it would
    need a global serial, and redelivered readings could not be recognised).
    """

    pk = models.CompositePrimaryKey("sensor_id", "time")
    time = TimescaleDateTimeField(interval="1 day")  # UTC, microseconds, the device's clock
    value = models.FloatField()
    sensor = models.ForeignKey(
        Sensor,
        to_field="number",
        db_column="sensor",
        db_constraint=False,
        db_index=False,  # the primary key begins with it
        on_delete=models.DO_NOTHING,
        related_name="readings",
    )
    quality = models.SmallIntegerField()  # OPC DA: 192 and above good, 64 to 191 uncertain, below 64 bad

    objects = ReadingQuerySet.as_manager()

    class Meta:
        db_table = "reading"

    def __str__(self) -> str:
        return f"reading of sensor {self.sensor_id} at {self.time:%Y-%m-%d %H:%M:%S} UTC"


class Latest(models.Model):
    """The newest reading of a sensor by its own time, so that no page or API call has to search for it."""

    sensor = models.OneToOneField(
        Sensor,
        to_field="number",
        db_column="sensor",
        primary_key=True,
        db_constraint=False,
        on_delete=models.CASCADE,
        related_name="latest",
    )
    time = models.DateTimeField()
    value = models.FloatField()
    quality = models.SmallIntegerField()
    received_at = models.DateTimeField()
    # What it was when this one came: ingest finds here what it was at the moment when it locked the row.
    before_time = models.DateTimeField(null=True)
    before_value = models.FloatField(null=True)
    before_quality = models.SmallIntegerField(null=True)

    class Meta:
        db_table = "latest"

    def __str__(self) -> str:
        return f"latest reading of sensor {self.sensor_id}"  # no name: that would be a query for each
