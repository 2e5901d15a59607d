"""All that the page of one alarm reads: the alarm in words, its journal, what is held under it, its trend."""

from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from alarms.lifecycle import Kind
from alarms.models import Alarm, AlarmEvent, Decision, Source, Subject
from telemetry import formats
from telemetry.alarm_rows import AlarmRow
from telemetry.alarm_words import alarm_row, measured
from telemetry.queries.alarms import alarm_rows

MOST_EVENTS = 200  # the newest; the API has them all
MOST_HELD = 50
MOST_DECISIONS = 20
AROUND = timedelta(hours=1)  # of the trend, before the alarm and after

HAPPENED = {
    Kind.RAISED: "Raised",
    Kind.CLEARED: "Cleared",
    Kind.ACKNOWLEDGED: "Acknowledged",
    Kind.CLOSED: "Closed",
    Kind.SHELVED: "Shelved",
    Kind.UNSHELVED: "Back from the shelf",
    Kind.COMMENTED: "Comment",
    Kind.ASSIGNED: "Assigned",
    Kind.HELD: "Held under another",
    Kind.RELEASED: "Calls by itself again",
    Kind.ESCALATED: "Escalated",
}
# In which way, where somebody did it; else what has found it out.
SOURCES = {
    Source.INGEST: "a reading",
    Source.WORKER: "the clock",
    Source.PAGE: "pages",
    Source.ADMIN: "admin",
    Source.API: "API",
}


class JournalRow(NamedTuple):
    clock: str
    what: str
    detail: str  # "96.4 °C", "until 16:00", "to Bob"
    who: str
    source: str
    note: str


class DecisionRow(NamedTuple):
    url: str
    action: str
    reason: str
    who: str
    clock: str


class AlarmPage(NamedTuple):
    row: AlarmRow
    journal: list[JournalRow]  # newest first
    held: list[AlarmRow]
    decisions: list[DecisionRow]  # newest first
    trend: str  # URL, of one that is about a sensor


def alarm_page(alarm: Alarm, now: datetime) -> AlarmPage:
    """Four queries at most."""
    events = AlarmEvent.objects.filter(alarm=alarm).order_by("-id")[:MOST_EVENTS]
    held: list[AlarmRow] = []
    if alarm.subject != Subject.SENSOR:
        under = Alarm.objects.open().filter(held_under=alarm).with_words().worst_first()
        held = alarm_rows(under[:MOST_HELD], now)
    row = alarm_row(alarm, now, len(held))
    decisions = [
        DecisionRow(
            reverse("decision", args=[each.pk]),
            each.get_action_display(),
            each.reason,
            each.actor,
            formats.format_day_clock(each.at, alarm.plant.tz, now),
        )
        for each in Decision.objects.filter(alarm=alarm)[:MOST_DECISIONS]
    ]
    journal = [_journal_row(alarm, event, now) for event in events]
    return AlarmPage(row, journal, held, decisions, trend_of(alarm, now))


def _journal_row(alarm: Alarm, event: AlarmEvent, now: datetime) -> JournalRow:
    return JournalRow(
        formats.format_day_clock(event.time, alarm.plant.tz, now),
        HAPPENED[Kind(event.kind)],
        _detail(alarm, event, now),
        event.actor or "InQube",
        SOURCES[Source(event.source)],
        event.note,
    )


def _detail(alarm: Alarm, event: AlarmEvent, now: datetime) -> str:
    if event.kind == Kind.SHELVED and "until" in event.detail:
        until = datetime.fromisoformat(event.detail["until"])
        return f"until {formats.format_day_clock(until, alarm.plant.tz, now)}"
    if event.kind == Kind.ASSIGNED:
        return f"to {event.detail.get('to') or 'nobody'}"
    if event.value is not None and alarm.sensor is not None:
        return measured(event.value, alarm.sensor)
    return ""


def trend_of(alarm: Alarm, now: datetime) -> str:
    """The hour before the alarm and what came after, as far as it is past."""
    sensor, machine = alarm.sensor, alarm.machine
    if sensor is None or machine is None:
        return ""
    address = f"{alarm.plant.slug}/{machine.zone.slug}/{machine.slug}/{sensor.slug}"
    end = min(now, (alarm.cleared_at or alarm.closed_at or alarm.raised_at) + AROUND)
    if now - alarm.raised_at < AROUND:
        return f"{reverse('trend')}?{urlencode({'sensor': address, 'range': '1h'}, safe='/')}"
    bounds = {"from": _text(alarm.raised_at - AROUND), "to": _text(end)}
    return f"{reverse('trend')}?{urlencode({'sensor': address, **bounds}, safe='/:')}"


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
