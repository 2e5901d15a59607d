"""What makes a still factory worth a picture: a fault, silence, bad values, alarms, and letters to decide."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db import connection, transaction
from django.utils.timezone import now

from inqube.demo.scene_alarms import make_alarms
from plants.models import Plant, Sensor
from telemetry.models import DeadLetter, DiscoveredSensor
from telemetry.storage.rollups import leave_marks

EVERY_READING_US = 2**62  # later than any: whatever is changed here needs a mark

# The sensors' readings since a time, and what is newest of them once those are gone or changed.
CHANGE = {
    "silence": "DELETE FROM reading WHERE sensor = ANY(%(sensors)s) AND time > %(since)s RETURNING sensor, time",
    "quality": "UPDATE reading SET quality = %(to)s WHERE sensor = ANY(%(sensors)s) AND time > %(since)s"
    " RETURNING sensor, time",
    "value": "UPDATE reading SET value = %(to)s WHERE sensor = ANY(%(sensors)s) AND time > %(since)s"
    " RETURNING sensor, time",
}
SETTLE_LATEST = """
UPDATE latest SET time = newest.time, value = newest.value, quality = newest.quality
FROM (SELECT DISTINCT ON (sensor) sensor, time, value, quality FROM reading WHERE sensor = ANY(%(sensors)s)
      ORDER BY sensor, time DESC) AS newest
WHERE latest.sensor = newest.sensor
"""

# As ingest would have counted what the history holds.
FILL_LEDGER = """
INSERT INTO ledger (minute, kind, source, received, stored, duplicate, conflict, late, dead)
SELECT date_trunc('minute', time), 'mqtt', source, count(*), count(*), 0, 0, 0, 0
FROM reading JOIN unnest(%(sensors)s::int[], %(sources)s::text[]) AS known (sensor, source) USING (sensor)
WHERE time > %(since)s GROUP BY 1, 3
"""


class Event(NamedTuple):
    machine: str
    sensors: Sequence[str]  # slugs; none for all
    what: str  # a key of CHANGE
    ago: timedelta
    to: int = 0


EVENTS = (
    Event("roller-2", ["state"], "value", timedelta(minutes=2, seconds=22), 3),
    Event("roller-2", ["bearing-temp"], "value", timedelta(minutes=2, seconds=26), 93),
    Event("roller-2", ["motor-current"], "value", timedelta(minutes=2, seconds=20), 0),
    Event("packer", [], "silence", timedelta(minutes=74)),
    Event("dryer-1", ["inlet-air", "exhaust-air"], "silence", timedelta(minutes=14)),
    Event("trough-2", ["leaf-moisture"], "silence", timedelta(seconds=48)),
    Event("roller-2", ["gearbox-oil"], "quality", timedelta(minutes=23), 16),
    Event("roller-1", ["leaf-temp"], "quality", timedelta(minutes=6), 64),
)


def set_scene() -> None:
    with transaction.atomic():
        for event in EVENTS:
            happen(event, now())
        fill_ledger(now())
        make_letters(now())
        make_discovered(now())
        make_alarms(now())


def happen(event: Event, moment: datetime) -> None:
    sensors = Sensor.objects.filter(machine__slug=event.machine)
    if event.sensors:
        sensors = sensors.filter(slug__in=event.sensors)
    given: dict[str, Any] = {
        "sensors": list(sensors.values_list("number", flat=True)),
        "since": moment - event.ago,
        "to": event.to,
    }
    with connection.cursor() as cursor:
        cursor.execute(CHANGE[event.what], given)
        changed = cursor.fetchall()
        cursor.execute(SETTLE_LATEST, given)
        numbers = np.array([number for number, _ in changed], np.int32)
        times_us = np.array([int(time.timestamp() * 1_000_000) for _, time in changed], np.int64)
        leave_marks(cursor.cursor, EVERY_READING_US, numbers, times_us)


def fill_ledger(moment: datetime) -> None:
    sensors = Sensor.objects.select_related("machine__zone__plant")
    sources = {each.number: each.address.rpartition("/")[0] for each in sensors}
    since = moment - timedelta(hours=1)
    with connection.cursor() as cursor:
        cursor.execute(FILL_LEDGER, {"sensors": list(sources), "sources": list(sources.values()), "since": since})


LETTERS = (
    ("kandy/rolling/roller-1", "not_a_number", "“n/a” is no number.", b'{"v": "n/a"}', 3, 1),
    (
        "rotterdam/labelling/labeller",
        "timestamp_out_of_range",
        "1970-01-01 00:00:14 UTC is too old.",
        b'{"ts": 14}',
        41,
        60,
    ),
    ("kandy/withering/trough-1", "invalid_json", "The JSON ends in the middle.", b'{"values": {"air-temp": 27.', 95, 1),
)
DISCOVERED = (
    ("kandy/rolling/roller-2/oil-level", 62.0, 1840, 6),
    ("kandy/sorting/colour-sorter/lamp-hours", 10412.0, 212, 51),
    ("rotterdam/packing/case-packer/glue-temp", 171.5, 96, 12),
)


def make_letters(moment: datetime) -> None:
    plants = {plant.slug: plant for plant in Plant.objects.all()}
    DeadLetter.objects.bulk_create(
        DeadLetter(
            received_at=moment - timedelta(minutes=minutes),
            source=source,
            topic=f"inqube/v1/{source}/t",
            plant=plants[source.partition("/")[0]],
            payload=payload,
            payload_bytes=len(payload),
            reason=reason,
            detail=detail,
            samples=samples,
            digest=uuid.uuid4().bytes,
        )
        for source, reason, detail, payload, minutes, samples in LETTERS
    )


def make_discovered(moment: datetime) -> None:
    plants = {plant.slug: plant for plant in Plant.objects.all()}
    DiscoveredSensor.objects.bulk_create(
        DiscoveredSensor(
            plant=plants[address.partition("/")[0]],
            address=address,
            first_seen=moment - timedelta(minutes=minutes),
            last_seen=moment - timedelta(seconds=3),
            count=count,
            kept=count,
            last_time=moment - timedelta(seconds=3),
            last_value=value,
            last_quality=192,
        )
        for address, value, count, minutes in DISCOVERED
    )
