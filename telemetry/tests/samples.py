"""Readings for tests, stored as ingest stores them."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

from django.db import connection

from plants.models import Sensor
from plants.scales import GOOD
from telemetry.ingest.ledger import Kind
from telemetry.ingest.store import Store, Stored
from telemetry.models import DeadTotal, LedgerEntry
from telemetry.readings import Reading

TEMP = "kandy/rolling/roller-2/temp"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us(time: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (time - EPOCH) // timedelta(microseconds=1)


def ms(time: datetime) -> int:
    return us(time) // 1000


def store_series(address: str, values: Iterable[tuple[datetime, float]]) -> Sensor:
    """Stores good readings of the sensor at this address, and gives the sensor."""
    sensor = Sensor.objects.named([address]).get()
    write([(sensor.number, us(time), value, GOOD) for time, value in values])
    return sensor


def write(readings: Sequence[Reading]) -> Stored:
    """Stores the readings on a connection of its own."""
    with closing(Store()) as store:
        return store.write(readings)


def dead(kind: Kind) -> dict[str, int]:
    """Why samples that came in this way are dead, which the ledger must know as well."""
    found = dict(DeadTotal.objects.filter(kind=kind).values_list("reason", "samples"))
    assert sum(found.values()) == sum(LedgerEntry.objects.filter(kind=kind).values_list("dead", flat=True))
    return found


def mark_rollups() -> None:
    """Has the rollups count all readings that were written as rows, as ingest's marks would."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rollup_dirty SELECT DISTINCT date_bin('1 hour', time, '2000-01-01Z'), sensor, false "
            "FROM reading ON CONFLICT DO NOTHING"
        )
