"""Delays that are over before the next reading comes, and rules whose hours are."""

from psycopg import Cursor

from alarms.changes import keep_changes
from alarms.conditions import HELD, NORMAL, Change, Good, Kind, Phase, Standing, advance, anchored, due_in_us, turn
from alarms.models.alarms import Source
from alarms.rule_set import Check, Key, RuleSet
from alarms.standings import Standings, keep_standings, load_good, read_standings
from plants.scales import UNCERTAIN

DUE = "SELECT sensor FROM rule_state WHERE due_at <= statement_timestamp()"
NOT_NORMAL = "SELECT rule_id, sensor FROM rule_state WHERE phase = ANY(%s)"
IS_DUE = "SELECT rule_id, sensor FROM rule_state WHERE sensor = ANY(%s) AND due_at <= statement_timestamp()"

# Whoever holds these decides about the sensors' rules: ingest takes them with the readings that it stores.
LOCK = "SELECT sensor, value, quality FROM latest WHERE sensor = ANY(%s) ORDER BY sensor FOR UPDATE"


def end_delays(cursor: Cursor, rules: RuleSet, now_us: int) -> int:
    """Raises and clears alarms whose delay is over; how many rules and sensors that were."""
    sensors = {sensor for (sensor,) in cursor.execute(DUE).fetchall()} | _out_of_hours(cursor, rules, now_us)
    if not sensors:
        return 0
    values = _lock(cursor, sorted(sensors))
    standings = read_standings(cursor, rules, sorted(values))
    due = {Key(*row) for row in cursor.execute(IS_DUE, [sorted(values)]).fetchall()}
    after: Standings = {}
    changes: list[tuple[Check, Change | Good]] = []
    due_in: dict[Key, int | None] = {}
    for key, standing in standings.items():
        check = rules.by_key[key]
        new, found = _look(check, standing, key in due, now_us, values[key.sensor])
        changes += [(check, change) for change in found]
        if new != standing:
            after[key], due_in[key] = new, due_in_us(check.limits, new, now_us)
    if changes:
        keep_changes(cursor, Source.WORKER, changes)
    normal = {key for key, standing in after.items() if standing.phase is Phase.NORMAL}
    keep_standings(cursor, {key: after[key] for key in after.keys() - normal}, normal, due_in)
    return len(after)


def _out_of_hours(cursor: Cursor, rules: RuleSet, now_us: int) -> set[int]:
    """Sensors at which a rule holds that does not watch at this hour."""
    if not rules.has_schedules:
        return set()
    keys = [Key(*row) for row in cursor.execute(NOT_NORMAL, [sorted(HELD)]).fetchall()]
    return {key.sensor for key in keys if key in rules.by_key and _is_over(rules.by_key[key], now_us)}


def _is_over(check: Check, now_us: int) -> bool:
    return check.limits.kind is not Kind.NO_DATA and not check.is_scheduled(now_us)


def _lock(cursor: Cursor, sensors: list[int]) -> dict[int, float]:
    """The last value of each that was not bad. No reading of these sensors is stored before the transaction ends."""
    rows = cursor.execute(LOCK, [sensors]).fetchall()
    good = load_good(cursor, [sensor for sensor, _, quality in rows if quality < UNCERTAIN])
    return {sensor: good[sensor].value if sensor in good else value for sensor, value, _ in rows}


def _look(check: Check, standing: Standing, is_due: bool, now_us: int, value: float) -> tuple[Standing, list[Change]]:
    """A delay ends in the time of the readings: so long after the one with which it began."""
    limits, changes = check.limits, []
    if is_due:
        delay_us = limits.on_delay_us if standing.phase is Phase.RISING else limits.off_delay_us
        standing, change = advance(limits, standing, standing.since_us + delay_us, value)
        if change is not None:
            standing = anchored(limits, standing, change)
            changes.append(change)
    if standing != NORMAL and _is_over(check, now_us):
        standing, change = turn(limits, standing, False, now_us, value)
        if change is not None:
            changes.append(change)
    return standing, changes
