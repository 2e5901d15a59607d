"""Replaying beside others who decide the same letters."""

import pytest
from django.utils.timezone import now

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.ingest.ledger import Kind
from telemetry.models import DeadLetter
from telemetry.replay import replay, summary
from telemetry.tests.letters import make_letter
from telemetry.tests.samples import dead

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_counts_why_it_is_dead_again(kandy: Plant, bob: User) -> None:
    Sensor.objects.update(is_active=False)
    (outcome,) = replay([make_letter(kandy)], bob, now(), 90)
    assert outcome.state == "new"
    assert dead(Kind.REPLAY) == {"sensor_inactive": 1}


def test_it_tells_of_a_letter_that_somebody_discarded_meanwhile(kandy: Plant, bob: User) -> None:
    stale = make_letter(kandy)
    DeadLetter.objects.discard(bob, now())

    done = summary(list(replay([stale], bob, now(), retention_days=90)))

    assert (done.replayed, done.kept) == (0, [])
    assert stale.state == "discarded"
