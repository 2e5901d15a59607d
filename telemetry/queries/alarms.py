"""Alarms for pages: lists, counts, marks beside values; the same number of queries for many alarms as for one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Max, Q

from accounts.models import User
from alarms.lifecycle import UNACKNOWLEDGED, Kind, State
from alarms.models import Alarm, AlarmEvent, AlarmQuerySet, Subject
from plants.models import Plant
from telemetry.alarm_filter import AlarmFilter, Place
from telemetry.alarm_rows import (
    AlarmBanner,
    AlarmCounts,
    AlarmList,
    AlarmMark,
    AlarmRow,
    PlantAlarms,
    Severity,
    ShelvedRow,
    Standing,
    no_alarms,
)
from telemetry.alarm_words import alarm_row, shelved_row
from telemetry.queries.console import MachineView

MOST_ROWS = 300  # of a list; whoever has more open alarms than that needs a filter, and other rules
MOST_ON_OVERVIEW = 6
PAGE = 50  # closed ones


def alarm_list(alarms: AlarmQuerySet, chosen: AlarmFilter, now: datetime) -> AlarmList:
    """The open and the shelved alarms that the filter asks for. Six queries at most."""
    matching = chosen.applied_to(alarms)
    of_severity = matching.filter(severity=chosen.severity) if chosen.severity else matching
    calling = of_severity.calling(now).with_words()
    waiting = alarm_rows(calling.unacknowledged().worst_first()[:MOST_ROWS], now)
    acknowledged = alarm_rows(calling.exclude(state__in=UNACKNOWLEDGED).worst_first()[:MOST_ROWS], now)
    return AlarmList(
        waiting, acknowledged, shelved_rows(of_severity, now), sum_of(counts_by("plant", matching, now).values())
    )


def alarm_rows(alarms: Iterable[Alarm], now: datetime) -> list[AlarmRow]:
    """Of alarms that were read with their words; one query more where there are some of whole machines or devices."""
    alarms = list(alarms)
    groups = [alarm.pk for alarm in alarms if alarm.subject != Subject.SENSOR]
    held: dict[UUID, int] = {}
    if groups:
        under = Alarm.objects.open().filter(held_under__in=groups).order_by()
        held = dict(under.values_list("held_under").annotate(Count("id")))
    return [alarm_row(alarm, now, held.get(alarm.pk, 0)) for alarm in alarms]


def shelved_rows(alarms: AlarmQuerySet, now: datetime) -> list[ShelvedRow]:
    """The next to return first."""
    shelved = list(alarms.shelved(now).with_words().order_by("shelved_until", "id")[:MOST_ROWS])
    since: dict[UUID, datetime] = {}
    if shelved:
        events = AlarmEvent.objects.filter(alarm__in=[each.pk for each in shelved], kind=Kind.SHELVED).order_by()
        since = dict(events.values_list("alarm").annotate(Max("time")))
    return [shelved_row(alarm, now, since.get(alarm.pk)) for alarm in shelved]


class ClosedPage(NamedTuple):
    rows: list[AlarmRow]
    older: Place | None


def closed_page(alarms: AlarmQuerySet, chosen: AlarmFilter, before: Place | None, now: datetime) -> ClosedPage:
    """The newest, or those behind a place."""
    found = chosen.applied_to(alarms).filter(state=State.CLOSED).with_words().order_by("-raised_at", "id")
    if chosen.severity:
        found = found.filter(severity=chosen.severity)
    shown = list((before.behind(found) if before else found)[: PAGE + 1])
    return ClosedPage(alarm_rows(shown[:PAGE], now), Place.of(shown[PAGE - 1]) if len(shown) > PAGE else None)


def counts_by(field: str, alarms: AlarmQuerySet, now: datetime) -> dict[Any, AlarmCounts]:
    """Of those that call; by the value of a field, which some alarms may lack."""
    found: dict[Any, AlarmCounts] = {}
    rows = alarms.calling(now).order_by().values_list(field, "severity", "state").annotate(Count("id"))
    for value, severity, state, count in rows:
        counts = found.setdefault(value, no_alarms())
        (counts.waiting if state in UNACKNOWLEDGED else counts.acknowledged)[cast(Severity, severity)] += count
    return found


def sum_of(counts: Iterable[AlarmCounts]) -> AlarmCounts:
    total = no_alarms()
    for each in counts:
        total = total.plus(each)
    return total


def plant_alarms(user: User | AnonymousUser, now: datetime) -> PlantAlarms:
    """What every page shows of alarms: one query, and one more while somebody is called."""
    alarms = Alarm.objects.visible_to(user)
    found = PlantAlarms(counts_by("plant__slug", alarms, now))
    waiting = found.counts.waiting.total()
    newest = alarms.calling(now).unacknowledged().worst_first().with_words().first() if waiting else None
    return replace(found, banner=AlarmBanner(alarm_row(newest, now), waiting)) if newest else found


class CardAlarms(NamedTuple):
    """What the overview's cards show: the worst alarm by slug of the plant, and counts by zone."""

    worst: dict[str, AlarmRow]
    zones: dict[UUID, AlarmCounts]


def card_alarms(alarms: AlarmQuerySet, now: datetime) -> CardAlarms:
    """Two queries. Of equally bad ones those come first that nobody has acknowledged, then the newest."""
    calling = alarms.calling(now).annotate(is_waiting=Q(state__in=UNACKNOWLEDGED)).with_words()
    worst = calling.order_by("plant_id", "rank", "-is_waiting", "-raised_at", "id").distinct("plant_id")
    zones = counts_by("machine__zone", alarms.filter(machine__isnull=False), now)
    return CardAlarms({alarm.plant.slug: alarm_row(alarm, now) for alarm in worst}, zones)


class Marks(NamedTuple):
    """The worst alarm of each sensor by its number, and of each machine with all that is on it."""

    sensors: dict[int, AlarmMark]
    machines: dict[UUID, AlarmMark]


def marks_of(alarms: AlarmQuerySet, now: datetime) -> Marks:
    """One query."""
    sensors: dict[int, AlarmMark] = {}
    machines: dict[UUID, AlarmMark] = {}
    rows = alarms.calling(now).order_by().values_list("sensor__number", "machine", "severity", "state")
    for number, machine, severity, state in rows:
        mark = AlarmMark(cast(Severity, severity), cast(Standing, state))
        if number is not None:
            sensors[number] = min(mark, sensors.get(number, mark), key=_rank)
        if machine is not None:
            machines[machine] = min(mark, machines.get(machine, mark), key=_rank)
    return Marks(sensors, machines)


def _rank(mark: AlarmMark) -> tuple[int, int]:
    return mark.rank


def add_marks(machines: Iterable[MachineView], marks: Marks) -> None:
    for machine in machines:
        machine.alarm = marks.machines.get(machine.machine.pk)
        machine.sensors = [replace(each, alarm=marks.sensors.get(each.sensor.number)) for each in machine.sensors]


def marks_of_plants(plants: Sequence[Plant], now: datetime) -> Marks:
    return marks_of(Alarm.objects.filter(plant__in=plants), now)


def worst_open(alarms: AlarmQuerySet, now: datetime, most: int = MOST_ROWS) -> list[AlarmRow]:
    """Those that call: not acknowledged, then acknowledged, each worst first."""
    order = ("-is_waiting", "rank", "-raised_at", "id")
    is_waiting = Q(state__in=UNACKNOWLEDGED)
    calling = alarms.calling(now).annotate(is_waiting=is_waiting).with_words().order_by(*order)
    return alarm_rows(calling[:most], now)
