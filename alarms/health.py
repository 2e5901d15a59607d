"""How alarms are for those who get them, over some days, beside the targets of ANSI/ISA-18.2-2016 (IEC 62682), table 7.

Counted is what calls somebody: each time that an alarm is raised, unless it is held under another. All in a fixed
number of queries, by the time at which it was recorded, which is when it was shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from alarms.models.severity import WORST_FIRST

SPAN = timedelta(minutes=10)
FLOOD_BEGINS = 10  # more in ten minutes than one person can deal with
FLOOD_ENDS = 5  # fewer, and it is over
TOP = 10
STANDING = timedelta(hours=24)
CHATTERS = 3  # times within CHATTER_S, by the readings' own time
CHATTER_S = 60
# Shares are in percent. `unacknowledged` is ours: the standard has no such figure.
TARGETS: dict[str, float] = {
    "per_hour": 6,
    "in_ten_minutes": 10,
    "flood_percent": 1,
    "top_percent": 5,
    "chattering": 0,
    "standing": 5,
    "unacknowledged": 0,
    "critical": 1,
    "high": 5,
    "medium": 15,
    "low": 80,
}
UNSEEN = timedelta(minutes=30)  # an alarm that nobody has acknowledged after so long

CALLS = """
FROM alarms_alarmevent AS event JOIN alarms_alarm AS alarm ON alarm.id = event.alarm_id
WHERE event.kind = 'raised' AND alarm.held_under_id IS NULL
  AND event.recorded_at >= %(start)s AND event.recorded_at < %(end)s AND event.plant_id = ANY(%(plants)s)
"""
SPANS = f"""
SELECT date_bin('10 minutes', event.recorded_at, '2000-01-03Z'), count(*) {CALLS} GROUP BY 1 ORDER BY 1
"""
SEVERITIES = f"SELECT alarm.severity, count(*) {CALLS} GROUP BY 1"
FREQUENT = f"""
SELECT max(alarm.id::text)::uuid, (array_agg(alarm.title ORDER BY event.id DESC))[1],
    (array_agg(alarm.severity ORDER BY event.id DESC))[1], count(*), max(event.recorded_at)
{CALLS} GROUP BY alarm.rule_id, alarm.sensor_id, alarm.machine_id, alarm.device_id ORDER BY 4 DESC, 2 LIMIT %(top)s
"""
CHATTERING = f"""
SELECT (array_agg(id ORDER BY time DESC))[1], (array_agg(title ORDER BY time DESC))[1],
    (array_agg(severity ORDER BY time DESC))[1], count(*), max(recorded_at)
FROM (
    SELECT alarm.id, alarm.title, alarm.severity, alarm.rule_id, alarm.sensor_id, event.time, event.recorded_at,
        event.time - lag(event.time, %(chatters)s - 1) OVER (
            PARTITION BY alarm.rule_id, alarm.sensor_id, alarm.machine_id, alarm.device_id ORDER BY event.time
        ) AS within
    {CALLS}
) AS calls
WHERE within <= %(chatter_s)s * interval '1 second'
GROUP BY rule_id, sensor_id ORDER BY 4 DESC, 2 LIMIT %(top)s
"""
STATES = """
SELECT id, title, severity, 1, raised_at, state IN ('raised', 'acknowledged') AND raised_at <= %(now)s - %(standing)s,
    state IN ('raised', 'cleared') AND raised_at <= %(now)s - %(unseen)s
FROM alarms_alarm
WHERE state <> 'closed' AND held_under_id IS NULL AND plant_id = ANY(%(plants)s)
  AND (shelved_until IS NULL OR shelved_until <= %(now)s) ORDER BY raised_at LIMIT 1000
"""


class Repeated(NamedTuple):
    """An alarm, the last of its rule and sensor, and how often it called, or chattered; when last, or since when."""

    id: UUID
    title: str
    severity: str
    times: int
    at: datetime


class Flood(NamedTuple):
    start: datetime
    end: datetime
    calls: int


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure beside its target; a share is in percent."""

    name: str
    value: float
    target: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        return self.value <= self.target


@dataclass(frozen=True, slots=True)
class Share:
    """Of a severity, among all that called, in percent."""

    severity: str
    count: int
    percent: float
    target: float


@dataclass(frozen=True, slots=True)
class Health:
    start: datetime
    end: datetime
    total: int
    measures: list[Measure]
    shares: list[Share]
    spans: list[tuple[datetime, int]]  # that have any, in their order
    floods: list[Flood]
    frequent: list[Repeated]
    chattering: list[Repeated]
    standing: list[Repeated]
    unseen: list[Repeated]


def health(plants: Sequence[UUID], start: datetime, end: datetime, now: datetime) -> Health:
    """Of the alarms of these plants, which one crew looks after."""
    given = {
        "plants": list(plants), "start": start, "end": end, "now": now, "top": TOP, "standing": STANDING,
        "unseen": UNSEEN, "chatters": CHATTERS, "chatter_s": CHATTER_S,
    }  # fmt: skip
    spans: list[tuple[datetime, int]] = _ask(SPANS, given)
    counts = dict(_ask(SEVERITIES, given))
    frequent = [Repeated(*row) for row in _ask(FREQUENT, given)]
    chattering = [Repeated(*row) for row in _ask(CHATTERING, given)]
    states = _ask(STATES, given)
    standing = [Repeated(*row) for *row, stands, _ in states if stands]
    unseen = [Repeated(*row) for *row, _, waits in states if waits]
    total, found = sum(counts.values()), floods(spans)
    hours = (end - start) / timedelta(hours=1)
    flooded = sum(((flood.end - flood.start) for flood in found), timedelta())
    positions = max(1, len(plants)) * settings.ALARM_OPERATORS
    targets = TARGETS | settings.ALARM_TARGETS
    measures = [
        Measure("Alarms an hour and operator", total / hours / positions, targets["per_hour"]),
        Measure("Most in ten minutes", max((count for _, count in spans), default=0), targets["in_ten_minutes"]),
        Measure("Time in flood", 100 * flooded / (end - start), targets["flood_percent"], "%"),
        Measure(
            "Share of the ten most frequent", _percent(sum(each.times for each in frequent), total),
            targets["top_percent"], "%",
        ),
        Measure("Chattering", len(chattering), targets["chattering"]),
        Measure("Standing for over 24 h", len(standing), targets["standing"]),
        Measure("Not acknowledged for over 30 min", len(unseen), targets["unacknowledged"]),
    ]  # fmt: skip
    shares = [
        Share(severity, counts.get(severity, 0), _percent(counts.get(severity, 0), total), targets[severity])
        for severity in WORST_FIRST
    ]
    return Health(start, end, total, measures, shares, spans, found, frequent, chattering, standing, unseen)


def floods(spans: Sequence[tuple[datetime, int]]) -> list[Flood]:
    """From the ten minutes with more than FLOOD_BEGINS to those with fewer than FLOOD_ENDS. Pure."""
    found: list[Flood] = []
    open_flood: Flood | None = None
    for at, count in spans:
        if open_flood is not None and (at > open_flood.end or count < FLOOD_ENDS):
            found.append(open_flood)
            open_flood = None
        if open_flood is not None:
            open_flood = open_flood._replace(end=at + SPAN, calls=open_flood.calls + count)
        elif count > FLOOD_BEGINS:
            open_flood = Flood(at, at + SPAN, count)
    return [*found, open_flood] if open_flood is not None else found


def _percent(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0


def _ask(query: str, given: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        rows: list[Any] = cursor.fetchall()
        return rows
