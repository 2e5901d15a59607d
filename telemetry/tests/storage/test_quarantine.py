"""What retention takes from the quarantine."""

import time
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.utils.timezone import now

from plants.models import Plant
from telemetry.ingest.quarantine import Room, put
from telemetry.ingest.store import connect
from telemetry.maintenance import STEPS
from telemetry.models import DiscoveredSensor, QuarantinedSample

pytestmark = pytest.mark.django_db(transaction=True)

DAY_US = 86_400_000_000
NOW_US = time.time_ns() // 1000


@pytest.fixture
def database(kandy: Plant) -> Iterator[psycopg.Connection]:
    """With two entries of a sample for each of some days."""
    with connect() as connection:
        with connection.transaction(), connection.cursor() as cursor:
            put(
                cursor,
                [(f"kandy/a/b/{slug}", NOW_US - days * DAY_US, 1.5, 192) for slug in "cd" for days in (0, 80, 91, 95)],
                Room(100, 100, 100),
            )
        yield connection


def test_it_forgets_samples_that_are_too_old_to_be_stored(database: psycopg.Connection) -> None:
    STEPS["retention"](database, now())
    assert set(DiscoveredSensor.objects.values_list("count", "kept")) == {(4, 2)}
    assert QuarantinedSample.objects.count() == 4


def test_it_forgets_entries_for_which_nothing_came_for_long(database: psycopg.Connection) -> None:
    DiscoveredSensor.objects.filter(address="kandy/a/b/c").update(last_seen=now() - timedelta(days=31))
    STEPS["retention"](database, now())
    assert DiscoveredSensor.objects.values_list("address", "kept").get() == ("kandy/a/b/d", 2)
    assert QuarantinedSample.objects.count() == 2


def test_it_forgets_the_samples_of_plants_that_are_gone(database: psycopg.Connection, kandy: Plant) -> None:
    kandy.delete()
    STEPS["retention"](database, now())
    assert not QuarantinedSample.objects.exists()
