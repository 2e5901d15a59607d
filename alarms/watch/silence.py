"""Sensors that send nothing any more, and whole machines and devices.

By the clock of the database and the time of storing: what a sensor says of its own time does not count here. When all
watched sensors of a machine, or of all machines for which a device sends, are silent, there is one alarm of it, and
theirs are held under it: nobody is called a hundred times for one cable. It clears as soon as all are back, or when
some are, and the others have had the time in which they should have come back, too.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from psycopg import Cursor

from alarms.changes import begun
from alarms.conditions import NORMAL, Change, Phase, Standing, advance, turn
from alarms.lifecycle import ACTIVE, Kind, State
from alarms.models.alarms import Source, Subject
from alarms.models.severity import WORST_FIRST
from alarms.record import Pair, Record, Row
from alarms.rule_set import Check, Key, RuleSet
from alarms.standings import Standings, keep_standings
from alarms.watch.groups import Group, GroupKey, read_groups
from plants.scales import SECOND_US, instant

HEARD = """
SELECT sensor, (extract(epoch FROM received_at) * 1000000)::bigint FROM latest WHERE sensor = ANY(%s)
"""
STANDINGS = "SELECT rule_id, sensor, phase, since_us, anchor FROM rule_state WHERE rule_id = ANY(%s)"
PLANTS_OF_GROUPS = "SELECT DISTINCT plant_id FROM alarms_alarm WHERE state <> 'closed' AND subject <> 'sensor'"
RETURNED = """
SELECT held_under_id, (extract(epoch FROM min(cleared_at)) * 1000000)::bigint FROM alarms_alarm
WHERE held_under_id = ANY(%s) GROUP BY held_under_id
"""

Changes = list[tuple[Check, Change]]


def watch_silence(cursor: Cursor, rules: RuleSet, now_us: int) -> int:
    """Raises and clears the alarms of rules of kind no data; how many rules and sensors changed."""
    before = _standings(cursor, rules)
    heard: dict[int, int] = dict(cursor.execute(HEARD, [[check.key.sensor for check in rules.silences]]).fetchall())
    after: Standings = {}
    changes: Changes = []
    for check in rules.silences:
        heard_us = heard.get(check.key.sensor, round(check.since * SECOND_US))
        standing, found = look(check, before.get(check.key, NORMAL), heard_us, now_us)
        changes += [(check, change) for change in found]
        if standing.phase is not Phase.NORMAL:
            after[check.key] = standing
    silent = [check for check in rules.silences if after.get(check.key, NORMAL).phase is Phase.ACTIVE]
    plants = {plant for (plant,) in cursor.execute(PLANTS_OF_GROUPS).fetchall()}
    plants |= {check.plant_id for check in silent} | {check.plant_id for check, _ in changes}
    if plants:
        _Alarms(cursor, rules, silent, plants, now_us).keep(changes)
    changed = {key: standing for key, standing in after.items() if standing != before.get(key)}
    keep_standings(cursor, changed, before.keys() - after.keys(), dict.fromkeys(changed))
    return len(changed) + len(before.keys() - after.keys())


def look(check: Check, standing: Standing, heard_us: int, now_us: int) -> tuple[Standing, list[Change]]:
    """What the clock brings to a sensor from which the last reading came at `heard_us`. Pure."""
    changes = []
    standing, change = advance(check.limits, standing, now_us, math.nan)
    if change is not None:
        changes.append(change)
    silent_us = heard_us + round(check.silent_after_s * SECOND_US)
    is_scheduled = check.is_scheduled(now_us)
    is_silent = is_scheduled and silent_us <= now_us
    # A rule that is younger than the silence has not seen it begin.
    turned_us = max(silent_us, round(check.since * SECOND_US)) if is_silent else heard_us if is_scheduled else now_us
    standing, change = turn(check.limits, standing, is_silent, turned_us, math.nan)
    if change is not None:
        changes.append(change)
    return standing, changes


def _standings(cursor: Cursor, rules: RuleSet) -> Standings:
    ids = list({check.key.rule_id for check in rules.silences})
    rows = cursor.execute(STANDINGS, [ids]).fetchall() if ids else []
    found = {
        Key(rule_id, sensor): Standing(Phase(phase), since_us, anchor)
        for rule_id, sensor, phase, since_us, anchor in rows
    }
    return {key: standing for key, standing in found.items() if key in rules.by_key}


class _Alarms:
    """The alarms of silence in some plants, of sensors and of groups of them, and which is held under which."""

    def __init__(
        self, cursor: Cursor, rules: RuleSet, silent: Sequence[Check], plants: Iterable[UUID], now_us: int
    ) -> None:
        self._now_us = now_us
        self._silent: defaultdict[int, list[Check]] = defaultdict(list)
        for check in silent:
            self._silent[check.key.sensor].append(check)
        self._record = Record(cursor, Source.WORKER)
        self._record.lock(plants)
        sensors = [check.key.sensor for check in rules.silences if check.plant_id in set(plants)]
        self._groups = read_groups(cursor, sensors)
        self._of_groups = {_key(row): row for row in self._record.open_groups(plants)}
        ids = [row.id for row in self._of_groups.values()]
        self._returned_us: dict[UUID, int] = dict(cursor.execute(RETURNED, [ids]).fetchall())
        self._holder_of_sensor: dict[int, Row] = {}
        self._holder_of_machine: dict[UUID, Row] = {}

    def keep(self, changes: Changes) -> None:
        for group in self._groups:
            alarm = self._keep_group(group)
            if alarm is not None and alarm.state in ACTIVE:
                self._hold_under(alarm, group)
        self._close_others()
        self._keep_sensors(changes)
        self._record.write()

    def _keep_group(self, group: Group) -> Row | None:
        alarm = self._of_groups.get(group.key)
        is_silent = group.sensors <= self._silent.keys()
        now = instant(self._now_us)
        if is_silent and (alarm is None or alarm.state is State.CLEARED):
            if self._holder(group.key) is not None:
                return None  # of the machine nobody has to hear: its device says it
            if alarm is not None:
                self._record.raise_again(alarm, now, None)
                return alarm
            return self._record.raise_new(self._begun(group))
        if alarm is not None and alarm.state in ACTIVE:
            if not is_silent and self._is_over(group, alarm):
                self._clear(alarm, self._now_us)
            else:
                self._hold(alarm, self._holder(group.key))
        return alarm

    def _begun(self, group: Group) -> Row:
        checks = [check for sensor in group.sensors for check in self._silent[sensor]]
        worst = min(checks, key=lambda check: (WORST_FIRST.index(check.severity), check.key))
        row = begun(worst, instant(self._now_us), None)
        row.subject, row.sensor_id = group.key.subject, None
        row.machine_id = group.key.id if group.key.subject is Subject.MACHINE else None
        row.device_id = group.key.id if group.key.subject is Subject.DEVICE else None
        row.title = f"{group.name}: none of its {len(group.sensors)} sensors sends data"
        return row

    def _is_over(self, group: Group, alarm: Row) -> bool:
        """Whether those that are back have been so for as long as the others may take."""
        missing = group.sensors & self._silent.keys()
        returns = [self._returned_us.get(alarm.id)]
        returns += [self._returned_us.get(row.id) for row in self._of_groups.values() if row.held_under_id == alarm.id]
        first_us = min((each for each in returns if each is not None), default=None)
        if not missing or first_us is None:
            return not missing
        longest_s = max(check.silent_after_s for sensor in missing for check in self._silent[sensor])
        return first_us + round(longest_s * SECOND_US) <= self._now_us

    def _hold_under(self, alarm: Row, group: Group) -> None:
        """Machines come after devices: a sensor's alarm is held under its machine's, if there is one."""
        for sensor in group.sensors:
            self._holder_of_sensor[sensor] = alarm
        if group.key.subject is Subject.DEVICE:
            for machine in group.machines:
                self._holder_of_machine.setdefault(machine, alarm)

    def _holder(self, key: GroupKey) -> Row | None:
        return self._holder_of_machine.get(key.id) if key.subject is Subject.MACHINE else None

    def _close_others(self) -> None:
        known = {group.key for group in self._groups}
        for key, alarm in self._of_groups.items():
            if key not in known:
                self._record.happen(alarm, Kind.CLOSED, instant(self._now_us), note="No rules watch it as a whole.")

    def _keep_sensors(self, changes: Changes) -> None:
        checks = {check.key: check for found in self._silent.values() for check in found}
        checks |= {check.key: check for check, _ in changes}
        pairs = {key: (key.rule_id, check.sensor_id) for key, check in checks.items()}
        alarms = self._record.open_of(list(pairs.values()))
        for check, change in changes:
            self._keep_change(alarms, check, change)
        for key, pair in pairs.items():
            alarm = alarms.get(pair)
            if alarm is not None and alarm.state in ACTIVE:
                self._hold(alarm, self._holder_of_sensor.get(key.sensor))

    def _keep_change(self, alarms: dict[Pair, Row], check: Check, change: Change) -> None:
        pair = check.key.rule_id, check.sensor_id
        alarm = alarms.get(pair)
        if not change.is_active:
            if alarm is not None and alarm.state in ACTIVE:
                self._clear(alarm, change.time_us)
        elif alarm is None:
            row, holder = begun(check, instant(change.time_us), None), self._holder_of_sensor.get(check.key.sensor)
            if holder is not None:
                row.held_under_id = holder.id
            alarms[pair] = self._record.raise_new(row, note=f"Held under “{holder.title}”." if holder else "")
        elif alarm.state is State.CLEARED:
            self._record.raise_again(alarm, instant(change.time_us), None)

    def _clear(self, alarm: Row, time_us: int) -> None:
        self._record.clear(alarm, instant(time_us), None)
        if alarm.held_under_id is not None and alarm.state is State.CLEARED:
            self._record.happen(
                alarm, Kind.CLOSED, instant(self._now_us), note="It was held under another: nobody had to see it."
            )

    def _hold(self, alarm: Row, holder: Row | None) -> None:
        id = None if holder is None else holder.id
        if alarm.held_under_id == id:
            return
        alarm.held_under_id = id
        now = instant(self._now_us)
        if holder is not None:
            self._record.happen(alarm, Kind.HELD, now, note=f"Held under “{holder.title}”.")
        else:
            self._record.happen(alarm, Kind.RELEASED, now)


def _key(alarm: Row) -> GroupKey:
    """Of one that was deleted, a key that no group has."""
    return GroupKey(Subject(alarm.subject), alarm.machine_id or alarm.device_id or alarm.id)
