"""The inbox: what could not become a reading, kept as it came."""

import uuid
from datetime import datetime
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Substr

from accounts.models import User
from plants.models import Plant
from telemetry.readings import Reason

BEGINNING_BYTES = 160  # of a payload: a line in a list


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """All for an admin; else those of the plants that this user operates. Unknown plants are for admins."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        if not user.may_operate:
            return self.none()
        # Asked first: of a subquery the planner cannot know that these plants have few letters among very many, and
        # reads them all.
        return self.filter(plant__in=list(Plant.objects.visible_to(user).order_by().values_list("pk", flat=True)))

    def new(self) -> Self:
        return self.filter(state=DeadLetter.State.NEW)

    def older_than(self, received_at: datetime, id: uuid.UUID) -> Self:
        """Those behind a letter of these, newest first, whether it is still there or not."""
        return self.filter(received_at__lte=received_at).exclude(received_at=received_at, pk__gte=id)

    def newer_than(self, received_at: datetime, id: uuid.UUID) -> Self:
        return self.filter(received_at__gte=received_at).exclude(received_at=received_at, pk__lte=id)

    def with_beginning(self) -> Self:
        """Adds `beginning`, of the payload, in place of all of it."""
        return self.defer("payload").annotate(beginning=Substr("payload", 1, BEGINNING_BYTES))

    def discard(self, by: User, moment: datetime) -> int:
        """Those that are new; gives their number."""
        return self.new().update(state=DeadLetter.State.DISCARDED, decided_at=moment, decided_by=by)


class DeadLetter(models.Model):
    """A message of which samples were rejected for one reason; ingest writes them, never through the ORM."""

    class State(models.TextChoices):
        NEW = "new"
        REPLAYED = "replayed"
        DISCARDED = "discarded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    received_at = models.DateTimeField()
    source = models.TextField()  # plant/zone/machine of the topic
    topic = models.TextField()
    plant = models.ForeignKey(
        Plant,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,  # one of the indexes below begins with it
        related_name="+",
    )
    address = models.TextField(blank=True)  # of the first rejected sample, if one was made out
    payload = models.BinaryField()
    payload_bytes = models.PositiveIntegerField()  # of the message as it came
    is_truncated = models.BooleanField(default=False)  # then the payload is its beginning
    reason = models.TextField(choices=[(str(reason), str(reason)) for reason in Reason])
    detail = models.TextField()
    samples = models.PositiveIntegerField()  # of the message, rejected for this reason
    digest = models.BinaryField()  # of topic, packet id and payload
    seen = models.PositiveIntegerField(default=1)  # how often the broker delivered it
    state = models.TextField(choices=State, default=State.NEW)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        db_table = "dead_letter"
        ordering = ("-received_at", "id")
        indexes = (
            models.Index(fields=["received_at"], name="dead_letter_received_at"),
            models.Index(fields=["plant", "received_at"], name="dead_letter_plant"),
            models.Index(fields=["digest"], name="dead_letter_digest"),
            models.Index(fields=["received_at"], name="dead_letter_new", condition=Q(state="new")),
        )

    def __str__(self) -> str:
        return f"{self.reason} from {self.source}"

    def replayed(self, by: User | None, moment: datetime) -> bool:
        """Notes that nothing of it is missing any more (None: the worker); False where somebody decided it before."""
        return self._decide(self.State.REPLAYED, by, moment)

    def discard(self, by: User, moment: datetime) -> bool:
        """Notes that it is not worth mending; False where somebody decided it before."""
        return self._decide(self.State.DISCARDED, by, moment)

    def _decide(self, state: State, by: User | None, moment: datetime) -> bool:
        decided = DeadLetter.objects.new().filter(pk=self.pk).update(state=state, decided_at=moment, decided_by=by)
        if decided:
            self.state, self.decided_at, self.decided_by = state, moment, by
        return bool(decided)
