"""What a machine did in the last hours: its states and its silence, as stretches of time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from plants.models import Sensor
from plants.scales import microseconds
from telemetry.machine_state import BY_LABEL, Pictogram, label_of
from telemetry.queries.history.changes import changes
from telemetry.queries.history.rollups import Span
from telemetry.queries.history.states import Change

SPAN = timedelta(hours=8)

# By the minute: when the machine was first and last heard, and until when that kept it from being silent.
HEARD = """
SELECT extract(epoch FROM min(coalesce(first_at, bucket)))::float8,
    extract(epoch FROM max(coalesce(last_at, bucket)))::float8,
    extract(epoch FROM max(coalesce(last_at, bucket) + make_interval(secs => asked.stale_after_s)))::float8
FROM unnest(%(sensors)s::int[], %(stale)s::float8[]) AS asked (sensor, stale_after_s)
JOIN reading_1m USING (sensor)
WHERE bucket >= %(start)s AND bucket < %(end)s
GROUP BY bucket ORDER BY bucket
"""


class Heard(NamedTuple):
    """Of a minute with readings, in seconds since 1970 UTC."""

    first: float
    last: float
    until: float  # silent from then on, if nothing more comes


class Stretch(NamedTuple):
    """Seconds since 1970 UTC. The pictogram `silent` stands for a time without readings."""

    since: float
    until: float
    pictogram: Pictogram
    word: str


def timeline(state: Sensor | None, sensors: Sequence[Sensor], now: datetime) -> list[Stretch]:
    """The last hours of a machine with these sensors, one of which may say its state; in order, without overlap."""
    start = now - SPAN
    found: list[Change] = []
    if state is not None:
        span = Span(microseconds(start), microseconds(now), any_quality=False)
        found = changes([state.number], span).get(state.number, [])
    states = state.states if state is not None else {}
    return stretches(states, found, heard(sensors, start, now), start.timestamp(), now.timestamp())


def heard(sensors: Sequence[Sensor], start: datetime, end: datetime) -> list[Heard]:
    """Also from before the start, as far back as decides whether the machine was silent then."""
    before = timedelta(seconds=min(max((each.stale_after_s for each in sensors), default=0), SPAN.total_seconds()))
    with connection.cursor() as cursor:
        cursor.execute(
            HEARD,
            {
                "sensors": [each.number for each in sensors],
                "stale": [each.stale_after_s for each in sensors],
                "start": start - before - timedelta(minutes=1),
                "end": end,
            },
        )
        return [Heard(*row) for row in cursor.fetchall()]


def silences(minutes: Iterable[Heard], start: float, end: float) -> list[tuple[float, float]]:
    """From the last reading until the next, wherever all sensors were stale between the two."""
    found: list[tuple[float, float]] = []
    last, until = start, start
    for minute in minutes:
        if minute.first > max(until, start) and minute.first > last:
            found.append((max(last, start), min(minute.first, end)))
        last, until = max(last, minute.last), max(until, minute.until)
    if end > until:
        found.append((max(last, start), end))
    return found


def stretches(
    states: dict[str, str], found: Sequence[Change], minutes: Iterable[Heard], start: float, end: float
) -> list[Stretch]:
    """Changes of state and silence laid over each other: what is silent has no state."""
    quiet = silences(minutes, start, end)
    known: list[Stretch] = []
    for index, (at, value) in enumerate(found):
        until = found[index + 1][0] if index + 1 < len(found) else end
        label = label_of(states, value)
        pictogram: Pictogram = BY_LABEL.get(label.lower(), "other") if label else "unknown"
        word = label[:1].upper() + label[1:] if label else "State unknown"
        for since, to in _without(max(at, start), until, quiet):
            known.append(Stretch(since, to, pictogram, word))
    silent = [Stretch(since, until, "silent", "No readings") for since, until in quiet]
    return sorted(known + silent)


def _without(since: float, until: float, holes: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is left of a stretch of time besides the holes, which are in order."""
    left = []
    for begin, end in holes:
        if begin > since:
            left.append((since, min(begin, until)))
        since = max(since, end)
        if since >= until:
            break
    else:
        left.append((since, until))
    return [(begin, end) for begin, end in left if begin < end]


def totals(parts: Iterable[Stretch]) -> list[tuple[Pictogram, str, float]]:
    """`(pictogram, word, seconds)` of each state, the longest first, silence at the end."""
    seconds: dict[tuple[Pictogram, str], float] = {}
    for part in parts:
        key = (part.pictogram, part.word)
        seconds[key] = seconds.get(key, 0.0) + part.until - part.since
    ordered = sorted(seconds.items(), key=lambda each: (each[0][0] == "silent", -each[1]))
    return [(pictogram, word, spent) for (pictogram, word), spent in ordered]
