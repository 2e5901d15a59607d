"""What changes of conditions mean to alarms: one is raised, again, or cleared."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from psycopg import Cursor

from alarms.conditions import Change, Good, is_further
from alarms.lifecycle import ACTIVE, State
from alarms.models.alarms import Subject
from alarms.record import Pair, Record, Row
from alarms.rule_set import Check
from plants.scales import instant


def keep_changes(cursor: Cursor, source: str, changes: Sequence[tuple[Check, Change | Good]]) -> None:
    """Raises and clears the alarms of these rules and sensors, and notes how far they go, in this order."""
    record = Record(cursor, source)
    record.lock({check.plant_id for check, _ in changes})
    open_alarms = record.open_of(list({(check.key.rule_id, check.sensor_id) for check, _ in changes}))
    for check, change in changes:
        if isinstance(change, Change):
            _keep_change(record, open_alarms, check, change)
        elif (alarm := open_alarms.get((check.key.rule_id, check.sensor_id))) is not None and alarm.state in ACTIVE:
            _keep_peak(record, check, alarm, change)
    record.write()


def _keep_change(record: Record, open_alarms: dict[Pair, Row], check: Check, change: Change) -> None:
    pair = check.key.rule_id, check.sensor_id
    alarm = open_alarms.get(pair)
    time = instant(change.time_us)
    if change.is_active and alarm is None:
        open_alarms[pair] = record.raise_new(begun(check, time, change.value))
    elif change.is_active and alarm is not None and alarm.state is State.CLEARED:
        record.raise_again(alarm, time, change.value)
        _keep_peak(record, check, alarm, change)
    elif not change.is_active and alarm is not None and alarm.state in ACTIVE:
        record.clear(alarm, time, change.value)
        if alarm.state is State.CLOSED:
            del open_alarms[pair]


def _keep_peak(record: Record, check: Check, alarm: Row, at: Change | Good) -> None:
    """Of an alarm that was raised again, the first time may have gone further."""
    if alarm.peak_value is not None and is_further(check.limits, at.value, alarm.peak_value):
        alarm.peak_value, alarm.peak_at = at.value, instant(at.time_us)
        record.change(alarm)


def begun(check: Check, time: datetime, value: float | None) -> Row:
    """An alarm of this rule and sensor that begins."""
    return Row(
        id=uuid4(),
        subject=Subject.SENSOR,
        rule_id=check.key.rule_id,
        sensor_id=check.sensor_id,
        machine_id=check.machine_id,
        device_id=None,
        plant_id=check.plant_id,
        version_id=check.version_id,
        severity=check.severity,
        title=check.title,
        state=State.RAISED,
        raised_at=time,
        trigger_value=value,
    )
