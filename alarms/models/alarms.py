"""Alarms: the episodes of rules, what people do about them, and the journal of both."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Self

from django.contrib.auth.models import AnonymousUser
from django.db import connection, models, transaction
from django.db.models import Case, Q, Value, When
from django.utils.timezone import now

from accounts.models import User
from alarms.lifecycle import UNACKNOWLEDGED, Kind, State, follows
from alarms.models.rules import Rule, RuleVersion
from alarms.models.severity import WORST_FIRST, Severity
from alarms.notifications.enqueue import TOLD, enqueue
from plants.models import Device, Machine, Plant, Sensor

LONGEST_NOTE = 2000
LONGEST_SHELF_DAYS = 30

# Events of a plant are numbered in the order in which they are committed: who writes some holds this, before any other
# lock on the plant's alarms. A feed that has read up to one number has then missed none.
LOCK_PLANTS = "SELECT pg_advisory_xact_lock(%s, hashtext(plant::text)) FROM unnest(%s::uuid[]) AS plant"
PLANT_LOCK = 0x1_9BE
NOTIFY = "SELECT pg_notify('alarms', %s)"


class Source(models.TextChoices):
    """Where a change came from."""

    INGEST = "ingest"
    WORKER = "worker"
    PAGE = "page"
    ADMIN = "admin"
    API = "api"


class Subject(models.TextChoices):
    """What an alarm is about; a machine or device is silent as a whole."""

    SENSOR = "sensor"
    MACHINE = "machine"
    DEVICE = "device"


class RefusedError(Exception):
    """What cannot be done with the alarm as it is now; its text is for whoever tried."""


class Actor(NamedTuple):
    """Who does something, and by which way."""

    user: User
    source: Source


def ranks(field: str) -> Case:
    """0 for the worst severity."""
    return Case(
        *(When(**{field: severity}, then=Value(rank)) for rank, severity in enumerate(WORST_FIRST)),
        default=Value(len(WORST_FIRST)),
        output_field=models.SmallIntegerField(),
    )


class AlarmQuerySet(models.QuerySet["Alarm"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The alarms of the plants that exist for this user."""
        return self.filter(plant__in=Plant.objects.visible_to(user))

    def open(self) -> Self:
        return self.exclude(state=State.CLOSED)

    def active(self) -> Self:
        """Those whose condition holds now."""
        return self.filter(state__in=(State.RAISED, State.ACKNOWLEDGED))

    def shelved(self, at: datetime | None = None) -> Self:
        return self.open().filter(shelved_until__gt=at or now())

    def calling(self, at: datetime | None = None) -> Self:
        """The open ones that people should see: not shelved, and not held under another."""
        return self.open().filter(Q(shelved_until=None) | Q(shelved_until__lte=at or now()), held_under=None)

    def unacknowledged(self) -> Self:
        return self.filter(state__in=UNACKNOWLEDGED)

    def worst_first(self) -> Self:
        """And of the same severity the newest first."""
        return self.order_by("rank", "-raised_at", "id")

    def with_words(self) -> Self:
        """With all that is shown of each, in one query."""
        return self.select_related(
            *("plant", "version", "sensor__machine__zone__plant", "machine__zone"),
            *("acknowledged_by", "assigned_to", "shelved_by"),
        )


class Alarm(models.Model):
    """One episode: from the moment when a rule's condition holds until it is over and somebody has acknowledged it.

    A rule and sensor have at most one that is not closed. Times are those of readings, except those of what people do.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="alarms", db_index=False)
    subject = models.CharField(max_length=10, choices=Subject, default=Subject.SENSOR)
    machine = models.ForeignKey(Machine, on_delete=models.SET_NULL, null=True, blank=True, related_name="alarms")
    sensor = models.ForeignKey(Sensor, on_delete=models.SET_NULL, null=True, blank=True, related_name="alarms")
    device = models.ForeignKey(Device, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    rule = models.ForeignKey(Rule, on_delete=models.SET_NULL, null=True, blank=True, related_name="alarms")
    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    severity = models.CharField(max_length=10, choices=Severity)
    rank = models.GeneratedField(expression=ranks("severity"), output_field=models.SmallIntegerField(), db_persist=True)
    title = models.CharField(max_length=400)  # "Roller 2: bearing temperature high-high"
    state = models.CharField(max_length=12, choices=[(each.value, each.value) for each in State])
    raised_at = models.DateTimeField()
    occurrences = models.PositiveIntegerField(default=1)  # raised so often before anybody acknowledged it
    trigger_value = models.FloatField(null=True, blank=True)
    peak_value = models.FloatField(null=True, blank=True)  # the furthest beyond the limit
    peak_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True)
    clear_value = models.FloatField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    closed_at = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    shelved_until = models.DateTimeField(null=True, blank=True)
    shelved_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    shelve_reason = models.CharField(max_length=LONGEST_NOTE, blank=True)
    held_under = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="held")
    recorded_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        ordering = ("-raised_at", "id")
        default_permissions = ("view", "change")
        constraints = (
            models.UniqueConstraint(
                fields=("rule", "sensor"), condition=~Q(state="closed"), name="alarm_open_once_a_sensor"
            ),
            models.UniqueConstraint(
                fields=("machine",),
                condition=~Q(state="closed") & Q(subject="machine"),
                name="alarm_open_once_a_machine",
            ),
            models.UniqueConstraint(
                fields=("device",), condition=~Q(state="closed") & Q(subject="device"), name="alarm_open_once_a_device"
            ),
        )
        indexes = (
            models.Index(fields=("plant", "-raised_at", "id"), name="alarm_of_plant"),
            models.Index(fields=("plant", "rank", "-raised_at"), condition=~Q(state="closed"), name="alarm_open"),
            models.Index(fields=("-raised_at", "id"), name="alarm_newest"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state != State.CLOSED

    @property
    def is_acknowledged(self) -> bool:
        return self.state not in UNACKNOWLEDGED

    def is_shelved(self, at: datetime | None = None) -> bool:
        return self.is_open and self.shelved_until is not None and self.shelved_until > (at or now())

    def acknowledge(self, by: Actor, note: str = "") -> bool:
        """Somebody has seen it; False where somebody was quicker. Raises RefusedError where there is nothing to see."""

        def change(alarm: "Alarm") -> bool:
            if alarm.is_acknowledged and alarm.is_open:
                return False
            if not alarm.is_open:
                if alarm.acknowledged_at is not None:
                    return False
                raise RefusedError("The alarm is closed: there is nothing to acknowledge.")
            alarm.acknowledged_at, alarm.acknowledged_by = now(), by.user
            return alarm._happens(Kind.ACKNOWLEDGED, by, note)

        return self._change(change)

    def shelve(self, by: Actor, until: datetime, reason: str) -> bool:
        """It calls nobody until then, also if it clears and comes again. Raises RefusedError."""
        moment = now()
        if not reason.strip():
            raise RefusedError("Say why it is shelved: whoever comes next will want to know.")
        if until <= moment:
            raise RefusedError("An alarm is shelved until a time to come.")
        if (until - moment).days >= LONGEST_SHELF_DAYS:
            raise RefusedError(
                f"An alarm is shelved for {LONGEST_SHELF_DAYS} days at most. Switch off its rule instead."
            )

        def change(alarm: "Alarm") -> bool:
            if not alarm.is_open:
                raise RefusedError("The alarm is closed: there is nothing to shelve.")
            alarm.shelved_until, alarm.shelved_by, alarm.shelve_reason = until, by.user, reason.strip()
            return alarm._happens(Kind.SHELVED, by, reason, {"until": until.isoformat()})

        return self._change(change)

    def unshelve(self, by: Actor, note: str = "") -> bool:
        """It calls again; False where it was not shelved."""

        def change(alarm: "Alarm") -> bool:
            if not alarm.is_shelved():
                return False
            alarm.shelved_until = None
            return alarm._happens(Kind.UNSHELVED, by, note)

        return self._change(change)

    def comment(self, by: Actor, note: str) -> bool:
        """Something about it worth knowing, also after it has closed. Raises RefusedError for no words."""
        if not note.strip():
            raise RefusedError("A comment needs words.")
        return self._change(lambda alarm: alarm._happens(Kind.COMMENTED, by, note))

    def assign(self, by: Actor, to: User | None, note: str = "") -> bool:
        """Who looks after it, or nobody; False where that is so already. Raises RefusedError for who may not."""
        if to is not None and not (to.may_operate and Plant.objects.visible_to(to).filter(pk=self.plant_id).exists()):
            raise RefusedError(f"{to} does not operate this plant.")

        def change(alarm: "Alarm") -> bool:
            if not alarm.is_open:
                raise RefusedError("The alarm is closed: nobody has to look after it.")
            if alarm.assigned_to_id == (to and to.pk):
                return False
            alarm.assigned_to = to
            return alarm._happens(Kind.ASSIGNED, by, note, {"to": str(to) if to else None})

        return self._change(change)

    def _change(self, change: Any) -> bool:
        """On the row as it is now, which nobody else changes meanwhile; this object is like it afterwards."""
        with transaction.atomic():
            lock_plants([self.plant_id])
            row = Alarm.objects.select_for_update(of=("self",)).get(pk=self.pk)
            done: bool = change(row)
            if done:
                row.save()
        self.refresh_from_db()
        return done

    def _happens(self, kind: Kind, by: Actor, note: str, detail: dict[str, Any] | None = None) -> bool:
        moment = now()
        state = follows(State(self.state), kind)
        if state is None:
            raise RefusedError(f"An alarm that is {self.state} cannot be {kind}.")
        self.state = state
        if state is State.CLOSED and self.closed_at is None:
            self.closed_at = moment
        event = AlarmEvent.objects.create(
            alarm=self,
            plant_id=self.plant_id,
            kind=kind,
            state=state,
            time=moment,
            user=by.user,
            actor=str(by.user),
            source=by.source,
            note=note.strip()[:LONGEST_NOTE],
            detail=detail or {},
        )
        if kind in TOLD:
            with connection.cursor() as cursor:
                enqueue(cursor, [event.pk])
        announce([self.plant_id])
        return True


def lock_plants(plants: Iterable[uuid.UUID]) -> None:
    """Until the end of the transaction nobody else writes events of these plants; always in one order."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_PLANTS, [PLANT_LOCK, sorted(set(plants), key=str)])


def announce(plants: Iterable[uuid.UUID]) -> None:
    """Tells live feeds, with the commit, that a plant has new events."""
    with connection.cursor() as cursor:
        for plant in sorted(set(plants), key=str):
            cursor.execute(NOTIFY, [plant.hex])


class AlarmEventQuerySet(models.QuerySet["AlarmEvent"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(plant__in=Plant.objects.visible_to(user))


class AlarmEvent(models.Model):
    """A row of the journal: what happened to an alarm, when, by whom, from where, and why. Append-only.

    `id` counts up in the order in which a plant's events are committed.
    """

    id = models.BigAutoField(primary_key=True)
    # Rows stay when what they are about is deleted: nothing here can be changed.
    alarm = models.ForeignKey(Alarm, models.DO_NOTHING, db_constraint=False, related_name="events")
    plant = models.ForeignKey(Plant, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in Kind])
    state = models.CharField(max_length=12)  # of the alarm after it
    time = models.DateTimeField()  # when it happened: the reading's own time, or when somebody did it
    recorded_at = models.DateTimeField(db_default=models.functions.Now())
    value = models.FloatField(null=True)
    user = models.ForeignKey(User, models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+")
    actor = models.CharField(max_length=254, blank=True)  # their name at that time
    source = models.CharField(max_length=10, choices=Source)
    note = models.CharField(max_length=LONGEST_NOTE, blank=True)
    detail = models.JSONField(default=dict)

    objects = AlarmEventQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        default_permissions = ("view",)
        indexes = (
            models.Index(fields=("plant", "id"), name="alarm_event_of_plant"),
            models.Index(fields=("recorded_at",), name="alarm_event_recorded"),
        )

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor or self.source}"
