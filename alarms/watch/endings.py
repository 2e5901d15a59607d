"""What ends by itself: shelves whose time has come, alarms of rules that are no more, notes of old changes."""

from psycopg import Cursor

from alarms.lifecycle import Kind
from alarms.models.alarms import Source
from alarms.record import Record
from alarms.rule_set import RuleSet
from plants.scales import instant

ENDED_SHELVES = """
SELECT id, plant_id FROM alarms_alarm WHERE state <> 'closed' AND shelved_until <= statement_timestamp()
"""

# Rules and the sensors that they are about, in the snapshot of the statement.
IN_FORCE = """
rule.is_enabled AND sensor.is_active AND (rule.sensor_id = sensor.id
    OR rule.sensor_id IS NULL AND rule.sensor_type = sensor.type AND rule.plant_id = zone.plant_id
       AND (rule.zone_id IS NULL OR rule.zone_id = zone.id)
       AND (rule.machine_id IS NULL OR rule.machine_id = machine.id))
"""
ORPHANS = f"""
SELECT alarm.id, alarm.plant_id, CASE
    WHEN rule.id IS NULL THEN 'Its rule was deleted.'
    WHEN NOT rule.is_enabled THEN 'Its rule is switched off.'
    WHEN sensor.id IS NULL THEN 'Its sensor was deleted.'
    WHEN NOT sensor.is_active THEN 'Its sensor is switched off.'
    ELSE 'Its rule is no longer about this sensor.'
END
FROM alarms_alarm AS alarm
LEFT JOIN alarms_rule AS rule ON rule.id = alarm.rule_id
LEFT JOIN plants_sensor AS sensor ON sensor.id = alarm.sensor_id
LEFT JOIN plants_machine AS machine ON machine.id = sensor.machine_id
LEFT JOIN plants_zone AS zone ON zone.id = machine.zone_id
WHERE alarm.state <> 'closed' AND alarm.subject = 'sensor' AND ({IN_FORCE}) IS NOT TRUE
"""
FORGET_STANDINGS = f"""
DELETE FROM rule_state AS standing WHERE NOT EXISTS (
    SELECT FROM alarms_rule AS rule, plants_sensor AS sensor
    JOIN plants_machine AS machine ON machine.id = sensor.machine_id
    JOIN plants_zone AS zone ON zone.id = machine.zone_id
    WHERE rule.id = standing.rule_id AND sensor.number = standing.sensor AND {IN_FORCE}
)
"""

# The newest stays: a table without any looks like one that nobody has written to.
FORGET_CHANGES = """
DELETE FROM rules_change
WHERE id < (SELECT max(id) FROM rules_change) AND at < statement_timestamp() - interval '1 day'
  AND (SELECT count(*) FROM rules_change) > %s
"""
KEPT_CHANGES = 200  # each time some are forgotten, all who hold rules in memory read them again


def end_shelves(cursor: Cursor, rules: RuleSet, now_us: int) -> int:
    rows = cursor.execute(ENDED_SHELVES).fetchall()
    if not rows:
        return 0
    record = Record(cursor, Source.WORKER)
    record.lock({plant for _, plant in rows})
    now = instant(now_us)
    for alarm in record.open_with([id for id, _ in rows]):
        if alarm.shelved_until is not None and alarm.shelved_until <= now:
            record.happen(alarm, Kind.UNSHELVED, alarm.shelved_until, note="Its time has come.")
            alarm.shelved_until = None
    record.write()
    return len(rows)


def close_orphans(cursor: Cursor, rules: RuleSet, now_us: int) -> int:
    """Closes the alarms of rules that are switched off or gone, or are about their sensor no more."""
    rows = cursor.execute(ORPHANS).fetchall()
    if rows:
        why = {id: reason for id, _, reason in rows}
        record = Record(cursor, Source.WORKER)
        record.lock({plant for _, plant, _ in rows})
        for alarm in record.open_with(list(why)):
            record.happen(alarm, Kind.CLOSED, instant(now_us), note=why[alarm.id])
        record.write()
    cursor.execute(FORGET_STANDINGS)
    return len(rows)


def forget_changes(cursor: Cursor, rules: RuleSet, now_us: int) -> int:
    return cursor.execute(FORGET_CHANGES, [KEPT_CHANGES]).rowcount
