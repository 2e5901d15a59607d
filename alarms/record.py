"""Writes what happens to alarms, in one transaction: the alarms themselves, their journal, and word of it to others.

On a cursor of psycopg, for ingest and the worker; what people do goes through the methods of models.Alarm.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor

from alarms.lifecycle import Kind, State, follows
from alarms.models.alarms import LOCK_PLANTS, NOTIFY, PLANT_LOCK, Subject
from alarms.notifications.enqueue import TOLD, enqueue

# A shelf outlives the episode for which it was made: the next one is on it from its beginning.
SHELVES = """
SELECT last.* FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (rule_id, sensor_id)
CROSS JOIN LATERAL (
    SELECT alarm.rule_id, alarm.sensor_id, alarm.shelved_until, alarm.shelved_by_id, alarm.shelve_reason
    FROM alarms_alarm AS alarm
    WHERE alarm.rule_id = wanted.rule_id AND alarm.sensor_id = wanted.sensor_id
    ORDER BY alarm.raised_at DESC LIMIT 1
) AS last
WHERE last.shelved_until > statement_timestamp()
"""


@dataclass(slots=True, eq=False)
class Row:
    """An open alarm as it is being changed; its fields are columns."""

    id: UUID
    subject: str
    rule_id: UUID | None
    sensor_id: UUID | None
    machine_id: UUID | None
    device_id: UUID | None
    plant_id: UUID
    version_id: int
    severity: str
    title: str
    state: State
    raised_at: datetime
    occurrences: int = 1
    trigger_value: float | None = None
    peak_value: float | None = None
    peak_at: datetime | None = None
    cleared_at: datetime | None = None
    clear_value: float | None = None
    closed_at: datetime | None = None
    held_under_id: UUID | None = None
    shelved_until: datetime | None = None
    shelved_by_id: UUID | None = None
    shelve_reason: str = ""

    def __post_init__(self) -> None:
        self.state = State(self.state)  # from the database it comes as a string

    def values(self, columns: Iterable[str]) -> list[Any]:
        return [getattr(self, column) for column in columns]


COLUMNS = tuple(each.name for each in fields(Row))
INSERT = f"INSERT INTO alarms_alarm ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"
CHANGING = COLUMNS[COLUMNS.index("state") :]
SELECT = f"SELECT {', '.join(COLUMNS)} FROM alarms_alarm"
OPEN = f"""
{SELECT} WHERE state <> 'closed' AND subject = 'sensor'
    AND (rule_id, sensor_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[])) FOR UPDATE
"""
OPEN_WITH = f"{SELECT} WHERE state <> 'closed' AND id = ANY(%s) FOR UPDATE"
OPEN_GROUPS = f"{SELECT} WHERE state <> 'closed' AND subject <> 'sensor' AND plant_id = ANY(%s) FOR UPDATE"
UPDATE = f"UPDATE alarms_alarm SET {', '.join(f'{column} = %s' for column in CHANGING)} WHERE id = %s"
INSERT_EVENT = """
INSERT INTO alarms_alarmevent (alarm_id, plant_id, kind, state, time, value, actor, source, note, detail)
VALUES (%s, %s, %s, %s, %s, %s, '', %s, %s, %s) RETURNING id
"""


class Event(NamedTuple):
    alarm: Row
    kind: Kind
    state: State
    time: datetime
    value: float | None
    note: str
    detail: dict[str, Any]


Pair = tuple[UUID, UUID]  # (Rule.id, Sensor.id)


@dataclass(slots=True)
class Record:
    """What happens to alarms in one transaction; nothing is in the database before `write`."""

    cursor: Cursor
    source: str
    events: list[Event] = field(default_factory=list)
    _new: list[Row] = field(default_factory=list)
    _changed: dict[UUID, Row] = field(default_factory=dict)
    _shelves: dict[Pair, tuple[datetime, UUID, str]] = field(default_factory=dict)

    def lock(self, plants: Iterable[UUID]) -> None:
        """Before anything else about alarms of these plants: see models.alarms.LOCK_PLANTS."""
        self.cursor.execute(LOCK_PLANTS, [PLANT_LOCK, sorted(set(plants), key=str)])

    def open_of(self, pairs: Sequence[Pair]) -> dict[Pair, Row]:
        """The open alarms of these rules and sensors."""
        rules, sensors = [rule for rule, _ in pairs], [sensor for _, sensor in pairs]
        self._shelves |= {
            (rule, sensor): (until, by, why)
            for rule, sensor, until, by, why in self.cursor.execute(SHELVES, [rules, sensors]).fetchall()
        }
        rows = [Row(*row) for row in self.cursor.execute(OPEN, [rules, sensors]).fetchall()]
        return {(row.rule_id, row.sensor_id): row for row in rows if row.rule_id and row.sensor_id}

    def open_with(self, ids: Sequence[UUID]) -> list[Row]:
        """Those of these alarms that are open."""
        return [Row(*row) for row in self.cursor.execute(OPEN_WITH, [ids]).fetchall()]

    def open_groups(self, plants: Iterable[UUID]) -> list[Row]:
        """The open alarms of whole machines and devices in these plants."""
        return [Row(*row) for row in self.cursor.execute(OPEN_GROUPS, [list(plants)]).fetchall()]

    def raise_new(self, row: Row, note: str = "") -> Row:
        """Another alarm. `row.state` and `row.raised_at` are those of its beginning."""
        if row.subject == Subject.SENSOR and row.rule_id and row.sensor_id:
            shelf = self._shelves.get((row.rule_id, row.sensor_id))
            if shelf is not None:
                row.shelved_until, row.shelved_by_id, row.shelve_reason = shelf
        row.peak_value, row.peak_at = row.trigger_value, row.raised_at
        self._new.append(row)
        self.events.append(Event(row, Kind.RAISED, row.state, row.raised_at, row.trigger_value, note, {}))
        return row

    def raise_again(self, row: Row, time: datetime, value: float | None) -> None:
        """One that had cleared before anybody acknowledged it."""
        row.occurrences += 1
        row.cleared_at = row.clear_value = None
        self.happen(row, Kind.RAISED, time, value)

    def clear(self, row: Row, time: datetime, value: float | None) -> None:
        row.cleared_at, row.clear_value = max(time, row.raised_at), value
        self.happen(row, Kind.CLEARED, row.cleared_at, value)

    def happen(
        self,
        row: Row,
        kind: Kind,
        time: datetime,
        value: float | None = None,
        note: str = "",
        detail: dict[str, Any] | None = None,
    ) -> bool:
        """Notes an event, and the state that follows; False where it cannot happen in this state."""
        state = follows(row.state, kind)
        if state is None:
            return False
        row.state = state
        if state is State.CLOSED:
            row.closed_at = time
        self.change(row)
        self.events.append(Event(row, kind, state, time, value, note, detail or {}))
        return True

    def change(self, row: Row) -> None:
        """Writes the row again, without a word in the journal."""
        if row not in self._new:
            self._changed[row.id] = row

    def write(self) -> None:
        """All at once. Whoever follows a plant's events hears of them with the commit."""
        # First those that may close: a rule and sensor have room for one that is open.
        if self._changed:
            self.cursor.executemany(UPDATE, [[*row.values(CHANGING), row.id] for row in self._changed.values()])
        if self._new:
            self.cursor.executemany(INSERT, [row.values(COLUMNS) for row in self._new])
        if self.events:
            numbers = self._write_events()
            told = [number for number, event in zip(numbers, self.events, strict=True) if event.kind in TOLD]
            if told:
                enqueue(self.cursor, told)
            for plant in sorted({event.alarm.plant_id.hex for event in self.events}):
                self.cursor.execute(NOTIFY, [plant])

    def _write_events(self) -> list[int]:
        """Gives their ids, in their order."""
        self.cursor.executemany(INSERT_EVENT, [self._columns(event) for event in self.events], returning=True)
        return [row[0] for each in self.cursor.results() for row in each.fetchall()]

    def _columns(self, event: Event) -> list[Any]:
        alarm, kind, state, time, value, note, detail = event
        return [alarm.id, alarm.plant_id, kind, state, time, value, self.source, note, json.dumps(detail)]
