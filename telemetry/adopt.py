"""Adopts discovered sensors: makes what is missing of zone, machine and sensor, and stores what was quarantined.

A sample leaves the quarantine after its reading is committed, so adopting may be ended anywhere and done again. What
cannot be stored stays, until it can or retention takes it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F, Q
from psycopg import Connection

from accounts.models import User
from plants.models import Machine, Sensor, Zone
from plants.scales import microseconds
from telemetry.guess import Guess, Seen, guess, name_of
from telemetry.ingest.ledger import Kind
from telemetry.ingest.resolve import known_sensors
from telemetry.ingest.store import Store
from telemetry.ingest.validate import Window, validate, window
from telemetry.models import DeadLetter, DiscoveredSensor, QuarantinedSample
from telemetry.readings import KnownSensor, Reason, Rejected, Sample
from telemetry.replay import MAX_REPLAYED, replay

MAX_ADOPTED = 500  # entries in one request, or in one run of the job
GUESSED_FROM = 1000  # samples, the newest
PAGE = 5000  # samples in one transaction

# Only what is in `reading`, whatever was counted: the times narrow it to the days of the page.
TAKE_OUT = """
DELETE FROM quarantined_sample USING reading
WHERE discovered = %(discovered)s AND quarantined_sample.time = ANY(%(times)s)
  AND reading.sensor = %(sensor)s AND reading.time = quarantined_sample.time
  AND reading.time BETWEEN %(first)s AND %(last)s
"""

log = structlog.get_logger("inqube.adopt")


class Adoption(NamedTuple):
    """What became of an entry; the counts are of samples, and `rejected` of those that stay in the quarantine."""

    discovered: DiscoveredSensor
    sensor: Sensor
    is_new: bool  # the sensor was made, not found
    stored: int
    duplicate: int
    conflict: int
    rejected: Counter[Reason]
    letters: int  # dead letters that this has settled


class Refused(NamedTuple):
    """An entry of which no sensor can be made as it is guessed, and why."""

    discovered: DiscoveredSensor
    detail: str


def guess_of(discovered: DiscoveredSensor) -> Guess:
    """What the sensor probably is, by its slug and its quarantined samples."""
    samples = QuarantinedSample.objects.filter(discovered=discovered.number)
    newest = samples.order_by("-time").values_list("time", "value", "label")[:GUESSED_FROM]
    labels = samples.filter(label__isnull=False).order_by().values_list("label", flat=True).distinct()
    seen = [Seen(microseconds(time), value, label) for time, value, label in reversed(newest)]
    return guess(discovered.address.rpartition("/")[2], seen, [label for label in labels if label])


def adopt(
    discovered: DiscoveredSensor,
    by: User | None,
    moment: datetime,
    retention_days: int,
    chosen: Mapping[str, Any] | None = None,
) -> Adoption:
    """Adopts it as it is guessed, but for the fields of the sensor that are `chosen`.

    Where the sensor is there already, it stays as it is, and only the quarantine is emptied into it.

    Raises:
        ValidationError: the sensor can't be made so, and nothing was.
        psycopg.Error: the database failed; do it again.
    """
    with closing(Store(kind=Kind.REPLAY)) as store:
        return _adopt(discovered, by, moment, retention_days, chosen or {}, store)


def adopt_many(
    entries: Iterable[DiscoveredSensor], by: User, moment: datetime, retention_days: int
) -> tuple[list[Adoption], list[Refused]]:
    """Adopts each as it is guessed; one that no guess fits keeps no other from being adopted.

    Raises psycopg.Error as `adopt`.
    """
    with closing(Store(kind=Kind.REPLAY)) as store:
        return _adopt_each(entries, by, moment, retention_days, store)


def adopt_due(connection: Connection, moment: datetime, retention_days: int) -> dict[str, Any]:
    """Adopts for plants that create at once, and empties the quarantine of sensors that have been made meanwhile."""
    due = DiscoveredSensor.objects.due().order_by("address")[:MAX_ADOPTED]
    done, refused = _adopt_each(due, None, moment, retention_days, Store(lambda: connection, kind=Kind.REPLAY))
    for entry, detail in refused:
        log.warning("discovered sensor not adopted", address=entry.address, error=detail)
    counts = {"adopted": sum(each.is_new for each in done), "stored": sum(each.stored for each in done)}
    return counts | ({"refused": len(refused)} if refused else {})


def _adopt_each(
    entries: Iterable[DiscoveredSensor], by: User | None, moment: datetime, retention_days: int, store: Store
) -> tuple[list[Adoption], list[Refused]]:
    done, refused = [], []
    for entry in entries:
        try:
            done.append(_adopt(entry, by, moment, retention_days, {}, store))
        except ValidationError as error:
            refused.append(Refused(entry, " ".join(error.messages)))
    return done, refused


def _adopt(
    discovered: DiscoveredSensor,
    by: User | None,
    moment: datetime,
    retention_days: int,
    chosen: Mapping[str, Any],
    store: Store,
) -> Adoption:
    sensor, is_new = _make(discovered, by, moment, chosen)
    made = Adoption(discovered, sensor, is_new, 0, 0, 0, Counter(), 0)
    drained = _drained(made, window(microseconds(moment), retention_days), store)
    return drained._replace(letters=_settle(discovered, by, moment, retention_days))


@transaction.atomic
def _make(
    discovered: DiscoveredSensor, by: User | None, moment: datetime, chosen: Mapping[str, Any]
) -> tuple[Sensor, bool]:
    """The sensor of the entry's address, made as guessed and chosen if there is none."""
    # Two that adopt the same come one after the other; and ingest, which holds the entry too, comes before or after.
    discovered = DiscoveredSensor.objects.select_for_update().get(pk=discovered.pk)
    _, zone_slug, machine_slug, slug = discovered.address.split("/")
    zone, _ = Zone.objects.get_or_create(plant=discovered.plant, slug=zone_slug, defaults={"name": name_of(zone_slug)})
    machine, _ = Machine.objects.get_or_create(zone=zone, slug=machine_slug, defaults={"name": name_of(machine_slug)})
    sensor = Sensor.objects.filter(machine=machine, slug=slug).first()
    is_new = sensor is None
    if sensor is None:
        sensor = Sensor(machine=machine, slug=slug, **_fields(discovered, chosen))
        sensor.full_clean()
        sensor.save(force_insert=True)
        sensor.refresh_from_db(fields=["number"])  # the database's own
    discovered.adopted(sensor, by, moment)
    return sensor, is_new


def _fields(discovered: DiscoveredSensor, chosen: Mapping[str, Any]) -> dict[str, Any]:
    guessed: dict[str, Any] = dict(guess_of(discovered))
    if chosen.get("kind", guessed["kind"]) != Sensor.Kind.STATE:
        guessed["states"] = {}
    return guessed | dict(chosen)


def _drained(adoption: Adoption, accepted: Window, store: Store) -> Adoption:
    """Stores what is quarantined, and takes it out."""
    discovered, sensor = adoption.discovered, adoption.sensor
    known = known_sensors(Sensor.objects.filter(pk=sensor.pk))[sensor.address]
    samples = QuarantinedSample.objects.filter(discovered=discovered.number).order_by("time")
    # Before looking: what comes in from here on may be seen or not, and is to be looked for again.
    count = DiscoveredSensor.objects.values_list("count", flat=True).get(pk=discovered.pk)
    source = sensor.address.rpartition("/")[0]
    stored = duplicate = conflict = 0
    rejected: Counter[Reason] = Counter()
    page = list(samples[:PAGE])
    while page:
        results = [validate(_sample(each, sensor.address), known, accepted) for each in page]
        readings = [each for each in results if not isinstance(each, Rejected)]
        dead = Counter(each.reason for each in results if isinstance(each, Rejected))
        receipt = (source, len(results), len(readings), len(results) - len(readings))
        result = store.write(readings, receipts=[receipt], reasons=Counter[str](dead))
        rejected.update(dead)
        rejected.update(each.reason for each in result.refused.values())
        stored, duplicate, conflict = stored + result.stored, duplicate + result.duplicate, conflict + result.conflict
        _take_out(discovered, known, page)
        page = list(samples.filter(time__gt=page[-1].time)[:PAGE])
    DiscoveredSensor.objects.filter(pk=discovered.pk).update(drained=count)
    discovered.refresh_from_db()
    return adoption._replace(stored=stored, duplicate=duplicate, conflict=conflict, rejected=rejected)


def _sample(quarantined: QuarantinedSample, address: str) -> Sample:
    value = quarantined.value if quarantined.label is None else quarantined.label
    assert value is not None
    return address, microseconds(quarantined.time), value, quarantined.quality


@transaction.atomic
def _take_out(discovered: DiscoveredSensor, sensor: KnownSensor, page: list[QuarantinedSample]) -> None:
    DiscoveredSensor.objects.select_for_update().get(pk=discovered.pk)  # first, as ingest does
    times = [each.time for each in page]
    what: dict[str, Any] = {"discovered": discovered.number, "sensor": sensor.number, "times": times, "first": times[0]}
    with connection.cursor() as cursor:
        cursor.execute(TAKE_OUT, what | {"last": times[-1]})
        DiscoveredSensor.objects.filter(pk=discovered.pk).update(kept=F("kept") - cursor.rowcount)


def _settle(discovered: DiscoveredSensor, by: User | None, moment: datetime, retention_days: int) -> int:
    """Replays the dead letters that waited for this sensor alone, or for the last unknown one of its machine."""
    machine = discovered.address.rpartition("/")[0]
    waiting = Q(address=discovered.address, samples=1)
    if not DiscoveredSensor.objects.new().filter(address__startswith=f"{machine}/").exists():
        waiting |= Q(source=machine)
    letters = DeadLetter.objects.new().filter(
        waiting, plant=discovered.plant, reason=str(Reason.UNKNOWN_SENSOR), is_truncated=False
    )
    outcomes = replay(letters.order_by("received_at", "id")[:MAX_REPLAYED], by, moment, retention_days)
    return sum(each.state == DeadLetter.State.REPLAYED for each in outcomes)
