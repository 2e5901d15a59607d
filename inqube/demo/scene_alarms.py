"""The still factory's alarms, one in each standing, as its rules would have raised them."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from accounts.models import User
from alarms.changes import begun
from alarms.models import Actor, Alarm, Source
from alarms.record import Record
from alarms.rule_set import Check, Rules
from plants.models import Sensor


class Episode(NamedTuple):
    machine: str
    sensor: str
    kind: str
    ago: timedelta
    value: float | None
    lasted: timedelta | None = None


EPISODES = (
    Episode("roller-2", "bearing-temp", "high_high", timedelta(minutes=2, seconds=20), 93.0),
    Episode("roller-2", "state", "state", timedelta(minutes=2, seconds=22), 3),
    Episode("roller-2", "vibration", "high", timedelta(minutes=7, seconds=51), 7.92, timedelta(seconds=52)),
    Episode("packer", "state", "no_data", timedelta(minutes=73), None),
    Episode("colour-sorter", "rejected", "high", timedelta(minutes=12), 6.4),
    Episode("labeller", "reel", "low", timedelta(minutes=41), 17.9),
    Episode("case-packer", "film-left", "low", timedelta(minutes=26), 13.8),
    Episode("filler", "cap-torque", "high", timedelta(hours=3), 2.47, timedelta(minutes=4)),
)
SEEN = {"packer", "colour-sorter", "labeller", "filler"}
SHELVED = "case-packer"


def make_alarms(moment: datetime) -> None:
    with connection.cursor() as cursor:
        rules = Rules().read(cursor.cursor)
        record = Record(cursor.cursor, Source.INGEST)
        record.lock({check.plant_id for check in rules.by_key.values()})
        for each in EPISODES:
            check = _check(list(rules.by_key.values()), each)
            row = record.raise_new(begun(check, moment - each.ago, each.value))
            if each.lasted is not None:
                record.clear(row, moment - each.ago + each.lasted, None)
        record.write()
    by = Actor(User.objects.get(role="operator"), Source.PAGE)
    for alarm in Alarm.objects.select_related("machine"):
        if alarm.machine and alarm.machine.slug in SEEN:
            alarm.acknowledge(by)
        if alarm.machine and alarm.machine.slug == SHELVED:
            alarm.shelve(by, moment + timedelta(hours=2, minutes=28), "The film comes with the noon delivery")
    for alarm in Alarm.objects.filter(machine__slug="roller-2", severity="critical"):
        alarm.assign(by, by.user)


def _check(checks: list[Check], episode: Episode) -> Check:
    sensor = Sensor.objects.get(machine__slug=episode.machine, slug=episode.sensor)
    (found,) = (each for each in checks if each.sensor_id == sensor.pk and each.limits.kind == episode.kind)
    return found
