"""Replaying beside others who decide the same letters."""

import pytest
from django.utils.timezone import now

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.ingest.ledger import Kind
from telemetry.models import DeadLetter
from telemetry.replay import replay, summary
from telemetry.tests.samples import dead

pytestmark = pytest.mark.django_db(transaction=True)


def letter(plant: Plant) -> DeadLetter:
    return DeadLetter.objects.create(
        received_at=now(),
        source="kandy/rolling/roller-2",
        topic="inqube/v1/kandy/rolling/roller-2/t/temp",
        plant=plant,
        payload=b"1.5",
        payload_bytes=3,
        reason="sensor_inactive",
        detail="Activate it.",
        samples=1,
        digest=b"1",
    )


def test_it_counts_why_it_is_dead_again(kandy: Plant, bob: User) -> None:
    Sensor.objects.update(is_active=False)
    (outcome,) = replay([letter(kandy)], bob, now(), 90)
    assert outcome.state == "new"
    assert dead(Kind.REPLAY) == {"sensor_inactive": 1}


def test_it_tells_of_a_letter_that_somebody_discarded_meanwhile(kandy: Plant, bob: User) -> None:
    stale = letter(kandy)
    DeadLetter.objects.discard(bob, now())

    done = summary(list(replay([stale], bob, now(), retention_days=90)))

    assert (done.replayed, done.kept) == (0, [])
    assert stale.state == "discarded"
