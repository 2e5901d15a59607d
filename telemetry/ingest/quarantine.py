"""Stage 6 of 8 — store: samples for unknown sensors into the quarantine, in the transaction of their neighbours.

One entry an address, with how many samples came and the newest of them, and the samples themselves, so that a sensor
is adopted with its history (telemetry/adopt.py). All of it is bounded, by `Room`: devices make up what they like.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import psycopg
from django.conf import settings
from psycopg import errors

from plants.scales import microseconds
from telemetry.ingest.letters import clean
from telemetry.readings import ADDRESS, Sample

LABEL_CHARACTERS = 100  # longer texts are no states

NEW, ADOPTED, IGNORED = "new", "adopted", "ignored"  # DiscoveredSensor.State


class Room(NamedTuple):
    """How much the quarantine takes. What is beyond is counted by its entry, and left to the dead letters."""

    samples: int  # of an address
    samples_of_plant: int
    addresses: int  # of a plant

    @classmethod
    def of_settings(cls) -> "Room":
        return cls(
            settings.QUARANTINE_SAMPLES,
            settings.QUARANTINE_SAMPLES_PER_PLANT,
            settings.QUARANTINE_ADDRESSES_PER_PLANT,
        )


class Newest(NamedTuple):
    """The newest sample of an entry, by its own time; `label` is empty where it has a value."""

    time_us: int
    value: float | None
    label: str
    quality: int


class Entry(NamedTuple):
    """A row of `discovered_sensor`, locked."""

    number: int
    address: str
    plant_id: UUID
    state: str
    kept: int
    creates: bool  # its plant wants sensors to be created at once
    has_sensor: bool  # of its address
    newest: Newest | None


class Change(NamedTuple):
    """What samples do to their entry."""

    state: str
    seen: int
    not_kept: int
    kept: list[Sample]
    newest: Newest


MISSING = """
SELECT address FROM unnest(%s::text[]) AS given (address)
WHERE NOT EXISTS (SELECT FROM discovered_sensor AS known WHERE known.address = given.address)
"""

# Only for addresses that are missing, since a conflict too takes a number from the sequence. The lock on the plant is
# that of the foreign key's own check: taken first, a plant that is being deleted can't fail us.
DISCOVER = """
WITH plant AS (
    SELECT id, slug FROM plants_plant WHERE slug = ANY(%(plants)s) ORDER BY slug FOR KEY SHARE
), listed AS (
    SELECT plant_id, count(*) AS entries FROM discovered_sensor WHERE plant_id IN (SELECT id FROM plant) GROUP BY 1
), new AS (
    SELECT address, plant.id AS plant_id,
           coalesce(entries, 0) + row_number() OVER (PARTITION BY plant.id ORDER BY address) AS nth
    FROM unnest(%(addresses)s::text[]) AS given (address)
    JOIN plant ON plant.slug = split_part(address, '/', 1)
    LEFT JOIN listed ON listed.plant_id = plant.id
)
INSERT INTO discovered_sensor (id, plant_id, address, first_seen, last_seen, count, kept, not_kept, drained,
                               last_label, state)
SELECT gen_random_uuid(), plant_id, address, now(), now(), 0, 0, 0, 0, '', 'new'
FROM new WHERE nth <= %(room)s ORDER BY address
ON CONFLICT DO NOTHING
"""

# In the order of addresses, so that two processes never wait for each other in a circle.
LOCK = """
SELECT entry.number, entry.address, entry.plant_id, entry.state, entry.kept, plant.on_unknown = 'create',
       EXISTS (
           SELECT FROM plants_sensor AS sensor
           JOIN plants_machine AS machine ON machine.id = sensor.machine_id
           JOIN plants_zone AS zone ON zone.id = machine.zone_id
           WHERE zone.plant_id = plant.id AND zone.slug = split_part(entry.address, '/', 2)
             AND machine.slug = split_part(entry.address, '/', 3) AND sensor.slug = split_part(entry.address, '/', 4)
       ),
       entry.last_time, entry.last_value, entry.last_label, entry.last_quality
FROM discovered_sensor AS entry JOIN plants_plant AS plant ON plant.id = entry.plant_id
WHERE entry.address = ANY(%s) ORDER BY entry.address
FOR UPDATE OF entry
"""
KEPT_OF_PLANTS = "SELECT plant_id, sum(kept)::bigint FROM discovered_sensor WHERE plant_id = ANY(%s) GROUP BY 1"

KEEP = """
INSERT INTO quarantined_sample (discovered, time, value, label, quality)
SELECT discovered, '1970-01-01Z'::timestamptz + time_us * interval '1 microsecond', value, label, quality
FROM unnest(%s::int[], %s::bigint[], %s::float8[], %s::text[], %s::int2[])
     AS sample (discovered, time_us, value, label, quality)
ON CONFLICT DO NOTHING
RETURNING discovered
"""

CHANGE = """
UPDATE discovered_sensor AS entry
SET state = new.state, count = entry.count + new.count, kept = entry.kept + new.kept,
    not_kept = entry.not_kept + new.not_kept, last_seen = now(),
    last_time = '1970-01-01Z'::timestamptz + new.time_us * interval '1 microsecond', last_value = new.value,
    last_label = new.label, last_quality = new.quality
FROM unnest(%s::int[], %s::text[], %s::int[], %s::int[], %s::int[], %s::bigint[], %s::float8[], %s::text[], %s::int2[])
     AS new (number, state, count, kept, not_kept, time_us, value, label, quality)
WHERE entry.number = new.number
"""

# The job of telemetry/jobs.py that adopts and empties what is due; one that waits is enough. By procrastinate's own
# function, since its Python wants a connection of its own.
DEFER = """
SELECT procrastinate_defer_jobs_v1(ARRAY[
    ('default', 'adoption', 0, 'adoption', 'adoption', '{"timestamp": 0}', NULL)::procrastinate_job_to_defer_v1
])
WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = 'adoption' AND status = 'todo')
"""


def put(cursor: psycopg.Cursor, unknown: Sequence[Sample], room: Room) -> None:
    """Keeps each sample once, however often its message is delivered or its batch is tried.

    Their times are in the window, their plants exist. What need not wait for anybody's decision is left to a job, which
    starts with the commit. To be the last of its transaction: nothing may wait while it holds the job's lock.
    """
    samples: dict[str, list[Sample]] = {}
    for sample in unknown:
        if ADDRESS.fullmatch(sample[0]):  # else no sensor could ever have it
            samples.setdefault(sample[0], []).append(sample)
    entries = _entries(cursor, sorted(samples), room)
    if not entries:
        return
    left = _left(cursor, entries, room)
    changes: list[tuple[Entry, Change]] = []
    for entry in entries:
        change = weigh(entry, samples[entry.address], min(room.samples - entry.kept, left[entry.plant_id]))
        left[entry.plant_id] -= len(change.kept)
        changes.append((entry, change))
    _write(cursor, changes)
    if any(change.state != IGNORED and (entry.creates or entry.has_sensor) for entry, change in changes):
        _wake_job(cursor)


def weigh(entry: Entry, samples: Sequence[Sample], left: int) -> Change:
    """What becomes of an entry and of these samples of it, `left` of which may be kept. Pure."""
    state = entry.state
    if state == ADOPTED and not entry.has_sensor:
        state = NEW  # its sensor was deleted or moved: to be decided anew
    kept = [] if state == IGNORED else [sample for sample in samples if _may_be_stored(sample)][: max(0, left)]
    newest = max(map(_newest, samples), key=lambda each: each.time_us)
    if entry.newest is not None and entry.newest.time_us > newest.time_us:
        newest = entry.newest
    return Change(state, len(samples), len(samples) - len(kept), kept, newest)


def _may_be_stored(sample: Sample) -> bool:
    """Whether a text could be the label of a state."""
    value = sample[2]
    return not isinstance(value, str) or (0 < len(value) <= LABEL_CHARACTERS and value.isprintable())


def _newest(sample: Sample) -> Newest:
    _, time_us, value, quality = sample
    if isinstance(value, str):
        return Newest(time_us, None, clean(value)[:LABEL_CHARACTERS], quality)
    return Newest(time_us, float(value), "", quality)


def _entries(cursor: psycopg.Cursor, addresses: list[str], room: Room) -> list[Entry]:
    """The entries of these addresses, made where there is room for them, and locked."""
    if not addresses:
        return []
    missing = [address for (address,) in cursor.execute(MISSING, [addresses]).fetchall()]
    if missing:
        plants = sorted({address.partition("/")[0] for address in missing})
        cursor.execute(DISCOVER, {"plants": plants, "addresses": missing, "room": room.addresses})
    found = []
    for row in cursor.execute(LOCK, [addresses]).fetchall():
        time, value, label, quality = row[7:]
        newest = Newest(microseconds(time), value, label, quality) if time else None
        found.append(Entry._make([*row[:7], newest]))
    return found


def _left(cursor: psycopg.Cursor, entries: Iterable[Entry], room: Room) -> Counter[UUID]:
    """How many samples more each of the entries' plants may keep."""
    plants = {entry.plant_id for entry in entries}
    kept: dict[UUID, int] = dict(cursor.execute(KEPT_OF_PLANTS, [list(plants)]).fetchall())
    return Counter({plant: room.samples_of_plant - kept[plant] for plant in plants})


def _write(cursor: psycopg.Cursor, changes: Sequence[tuple[Entry, Change]]) -> None:
    rows = [(entry.number, *_newest(sample)) for entry, change in changes for sample in change.kept]
    kept: Counter[int] = Counter()
    if rows:
        numbers, times, values, labels, qualities = map(list, zip(*rows, strict=True))
        labels = [label or None for label in labels]
        kept.update(number for (number,) in cursor.execute(KEEP, [numbers, times, values, labels, qualities]))
    columns = zip(
        *(
            (entry.number, change.state, change.seen, kept[entry.number], change.not_kept, *change.newest)
            for entry, change in changes
        ),
        strict=True,
    )
    cursor.execute(CHANGE, [list(column) for column in columns])


def _wake_job(cursor: psycopg.Cursor) -> None:
    try:
        with cursor.connection.transaction():
            cursor.execute(DEFER)
    except errors.UniqueViolation:
        pass  # another transaction was quicker; what its job finds uncommitted, the next one does
