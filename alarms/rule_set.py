"""The rules that are switched on, by the sensors that they check; held in memory while nothing of them changes."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import Cursor

from alarms.conditions import Kind, Limits, limits
from alarms.models.rules import is_scheduled
from alarms.quick import QuickLook, Watched
from alarms.titles import title
from plants.scales import SECOND_US, instant

# What the triggers have noted (migration 0002); two reads that give the same have seen the same rules and sensors.
FINGERPRINT = "SELECT coalesce(md5(string_agg(id::text, ',' ORDER BY id)), '') FROM rules_change"

LOAD = """
WITH target AS (
    SELECT rule.id AS rule_id, sensor.id AS sensor_id
    FROM alarms_rule AS rule JOIN plants_sensor AS sensor ON sensor.id = rule.sensor_id
    UNION ALL
    SELECT rule.id, sensor.id
    FROM alarms_rule AS rule
    JOIN plants_zone AS zone ON zone.plant_id = rule.plant_id AND (rule.zone_id IS NULL OR zone.id = rule.zone_id)
    JOIN plants_machine AS machine
        ON machine.zone_id = zone.id AND (rule.machine_id IS NULL OR machine.id = rule.machine_id)
    JOIN plants_sensor AS sensor ON sensor.machine_id = machine.id AND sensor.type = rule.sensor_type
    WHERE rule.sensor_id IS NULL
)
SELECT rule.id, version.id, rule.kind, rule.setpoint, rule.deadband, rule.on_delay_s, rule.off_delay_s, rule.severity,
    rule.message, rule.schedule::text, rule.updated_at, plant.id, plant.timezone, machine.id, machine.name,
    sensor.id, sensor.number, sensor.name, sensor.states::text, sensor.stale_after_s, sensor.created_at,
    reference.number, reference.name, reference.stale_after_s
FROM target
JOIN alarms_rule AS rule ON rule.id = target.rule_id
JOIN alarms_ruleversion AS version ON version.rule_id = rule.id AND version.number = rule.version
JOIN plants_sensor AS sensor ON sensor.id = target.sensor_id
JOIN plants_machine AS machine ON machine.id = sensor.machine_id
JOIN plants_zone AS zone ON zone.id = machine.zone_id
JOIN plants_plant AS plant ON plant.id = zone.plant_id
LEFT JOIN plants_sensor AS reference ON reference.id = rule.reference_id
WHERE rule.is_enabled AND sensor.is_active
ORDER BY sensor.number, rule.created_at, rule.id
"""


class Key(NamedTuple):
    """Where a rule stands is kept by this."""

    rule_id: UUID
    sensor: int  # Sensor.number


class Reference(NamedTuple):
    """The other sensor of a deviation; its value counts for so long."""

    sensor: int
    stale_us: int


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A rule at one of its sensors."""

    key: Key
    version_id: int
    limits: Limits
    severity: str
    title: str
    schedule: dict[str, Any]
    tz: ZoneInfo
    plant_id: UUID
    machine_id: UUID
    sensor_id: UUID
    reference: Reference | None
    silent_after_s: float  # for no data: from the last reading on
    since: float  # seconds since 1970: a sensor without any reading is silent from then on

    def is_scheduled(self, time_us: int) -> bool:
        return not self.schedule or is_scheduled(self.schedule, instant(time_us).astimezone(self.tz))


class RuleSet:
    """All checks, by sensor; `quick` tells which of them a batch may concern."""

    def __init__(self, checks: Iterable[Check] = (), fingerprint: str | None = None) -> None:
        self.fingerprint = fingerprint
        self.by_key: dict[Key, Check] = {check.key: check for check in checks}
        self.silences = [check for check in self.by_key.values() if check.limits.kind is Kind.NO_DATA]
        self.has_schedules = any(check.schedule for check in self.by_key.values())
        by_sensor: defaultdict[int, list[Check]] = defaultdict(list)
        self.references: defaultdict[int, set[int]] = defaultdict(set)  # by sensor, those from which it may deviate
        for check in self.by_key.values():
            if check.limits.kind is not Kind.NO_DATA:
                by_sensor[check.key.sensor].append(check)
            if check.reference is not None:
                self.references[check.key.sensor].add(check.reference.sensor)
        self.by_sensor = {sensor: tuple(found) for sensor, found in by_sensor.items()}
        self.quick = QuickLook(
            Watched(sensor, check.limits, check.reference.sensor if check.reference is not None else None)
            for sensor, found in self.by_sensor.items()
            for check in found
        )
        # Of these the value before matters even if bad ones came since: a delay may end in its time.
        self.with_good = self.quick.with_memory | {
            check.key.sensor
            for check in self.by_key.values()
            if check.limits.on_delay_us > 0 or check.limits.off_delay_us > 0
        }


class Rules:
    """The rule set of one database, as of the last transaction in which somebody asked."""

    def __init__(self) -> None:
        self._known = RuleSet()

    def read(self, cursor: Cursor) -> RuleSet:
        """The rules as this transaction sees them; a query of a row while they are the same."""
        row = cursor.execute(FINGERPRINT).fetchone()
        assert row is not None
        if row[0] != self._known.fingerprint:
            self._known = RuleSet((_check(*each) for each in cursor.execute(LOAD).fetchall()), row[0])
        return self._known


def _check(
    rule_id: UUID,
    version_id: int,
    kind: str,
    setpoint: float | None,
    deadband: float,
    on_delay_s: float,
    off_delay_s: float,
    severity: str,
    message: str,
    schedule: str,
    updated_at: Any,
    plant_id: UUID,
    timezone: str,
    machine_id: UUID,
    machine: str,
    sensor_id: UUID,
    number: int,
    sensor: str,
    states: str,
    stale_after_s: float,
    created_at: Any,
    reference: int | None,
    reference_name: str | None,
    reference_stale_s: float | None,
) -> Check:
    return Check(
        key=Key(rule_id, number),
        version_id=version_id,
        limits=limits(kind, setpoint, deadband, on_delay_s, off_delay_s),
        severity=severity,
        title=title(machine, sensor, kind, message, setpoint, json.loads(states), reference_name),
        schedule=json.loads(schedule),
        tz=ZoneInfo(timezone),
        plant_id=plant_id,
        machine_id=machine_id,
        sensor_id=sensor_id,
        reference=None if reference is None else Reference(reference, round((reference_stale_s or 0) * SECOND_US)),
        silent_after_s=setpoint if setpoint is not None else stale_after_s,
        since=max(updated_at, created_at).timestamp(),
    )
