"""What ingest processes say of themselves, and the gaps they noticed; ingest writes it, never through the ORM."""

from datetime import datetime, timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

SILENT_AFTER = timedelta(seconds=15)  # several beats (telemetry/ingest/journal.py)


class IngestShardQuerySet(models.QuerySet["IngestShard"]):
    def in_use(self) -> Self:
        """Those that somebody has not stopped in order."""
        return self.filter(stopped_at=None)


class IngestShard(models.Model):
    """One session with the broker, and the process that last worked for it."""

    client_id = models.TextField(primary_key=True)
    shard = models.PositiveIntegerField()
    of = models.PositiveIntegerField()
    host = models.TextField()
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)  # in order
    connected_at = models.DateTimeField(null=True, blank=True)  # so the broker has had a session of this name
    contact_at = models.DateTimeField(null=True, blank=True)  # when it was last seen connected
    is_subscribed = models.BooleanField(default=False)  # to all of its plants
    plants = ArrayField(models.TextField(), default=list, blank=True)  # slugs to which it is subscribed
    committed_at = models.DateTimeField(null=True, blank=True)
    unacknowledged = models.PositiveIntegerField(default=0)
    lag_s = models.FloatField(db_default=0)  # how long a message waited at most for its commit, of late
    broker_dropped = models.BigIntegerField(null=True, blank=True)  # the broker's counter as of the last event
    standby_host = models.TextField(blank=True)
    standby_at = models.DateTimeField(null=True, blank=True)  # when a process was last seen standing by

    objects = IngestShardQuerySet.as_manager()

    class Meta:
        db_table = "ingest_shard"
        ordering = ("of", "shard")

    def __str__(self) -> str:
        return self.client_id

    def runs(self, moment: datetime) -> bool:
        return self.stopped_at is None and moment - self.seen_at < SILENT_AFTER

    def is_connected(self, moment: datetime) -> bool:
        return self.runs(moment) and self.contact_at is not None and moment - self.contact_at < SILENT_AFTER

    def has_standby(self, moment: datetime) -> bool:
        return self.standby_at is not None and moment - self.standby_at < SILENT_AFTER


class IngestTotal(models.Model):
    """What was counted for a session by all processes that ever worked for it; it stays when the session has ended."""

    client_id = models.TextField(primary_key=True)
    messages = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)  # of the messages, those of which a sample is dead
    commits = ArrayField(models.BigIntegerField(), default=list)  # by counters.BOUNDS_S
    commit_s = models.FloatField(default=0)
    dropped = models.BigIntegerField(default=0)  # by the broker, for all of its clients

    class Meta:
        db_table = "ingest_total"

    def __str__(self) -> str:
        return self.client_id


class IngestEvent(models.Model):
    """Something that a person should know of what ingest was given; append-only, but for retention."""

    class Kind(models.TextChoices):
        SESSION_LOST = "session_lost"
        BROKER_DROPPED = "broker_dropped"
        TOOK_OVER = "took_over"
        LEDGER_BROKEN = "ledger_broken"

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    client_id = models.TextField()
    kind = models.TextField(choices=Kind)
    since = models.DateTimeField(null=True, blank=True)
    count = models.BigIntegerField(null=True, blank=True)
    detail = models.TextField()

    class Meta:
        db_table = "ingest_event"
        ordering = ("-at", "-id")
        indexes = (models.Index(fields=["at"], name="ingest_event_at"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.client_id}"
