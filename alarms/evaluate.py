"""Stage 7 of 8 — alarms: what new readings mean to the rules, in the transaction that stores them.

So an alarm is raised exactly as often as its readings are stored: once. Late and bad readings change nothing. Late is
what is older than the newest reading of its sensor that came before it, whichever batch brought that.

Most batches have nothing for most rules: numpy finds the sensors of which a reading is beyond a limit or that are not
plainly normal, and only their readings are looked at one by one. The rows of `latest` that the store has locked keep
two writers from looking at one sensor at once.
"""

import numpy as np
from psycopg import Cursor

from alarms.changes import keep_changes
from alarms.conditions import NORMAL, Change, Good, Phase, due_in_us, follow
from alarms.models.alarms import Source
from alarms.quick import Before, Rows
from alarms.rule_set import Check, RuleSet
from alarms.standings import Standings, keep_standings, load_good, read_standings
from plants.scales import UNCERTAIN

KEEP_GOOD = """
INSERT INTO last_good (sensor, time_us, value) SELECT * FROM unnest(%s::int[], %s::bigint[], %s::float8[])
ON CONFLICT (sensor) DO UPDATE SET time_us = excluded.time_us, value = excluded.value
"""
FORGET_GOOD = "DELETE FROM last_good WHERE sensor = ANY(%s)"

LATEST = """
SELECT sensor, (extract(epoch FROM time) * 1000000)::bigint, value, quality FROM latest WHERE sensor = ANY(%s)
"""


def evaluate(cursor: Cursor, rules: RuleSet, rows: Rows, before: Before) -> None:
    """Raises and clears alarms, and keeps where rules stand.

    Args:
        cursor: in the transaction that has stored the rows, and has locked their sensors' rows of `latest`.
        before: what was the latest of each sensor that has a newer one now.
    """
    rows = rules.quick.watched(rows)
    if not len(rows.sensor):
        return
    standings = read_standings(cursor, rules, np.unique(rows.sensor).tolist())
    wanted = {*rules.quick.hot(rows, before), *(key.sensor for key in standings)}
    if not wanted:
        return
    wanted |= {other for sensor in wanted for other in rules.references.get(sensor, ())}
    look = _Look(cursor, rules, sorted(wanted), standings, before)
    chosen = rows.take(np.isin(rows.sensor, list(wanted)))
    for sensor, time_us, value, quality in zip(*(column.tolist() for column in chosen), strict=True):
        look.at(sensor, time_us, value, quality)
    look.keep()


class _Look:
    """Takes the readings of the sensors that need it, one by one, and keeps what they have changed."""

    def __init__(
        self, cursor: Cursor, rules: RuleSet, sensors: list[int], standings: Standings, before: Before
    ) -> None:
        self._cursor = cursor
        self._rules = rules
        self._standings = standings
        self._known = standings.copy()  # as the database has them
        self._seen_us: dict[int, int] = {}
        self._good: dict[int, Good] = {}
        self._is_bad: dict[int, bool] = {}
        there = np.isin(before.sensor, sensors) & ~np.isnan(before.value)
        for sensor, time_us, value, quality in zip(*(column[there].tolist() for column in before), strict=True):
            self._seen_us[sensor] = time_us
            self._is_bad[sensor] = quality < UNCERTAIN
            if quality >= UNCERTAIN:
                self._good[sensor] = Good(time_us, value)
        self._kept_good = load_good(self._cursor, [sensor for sensor in sensors if self._is_bad.get(sensor)])
        self._good |= self._kept_good
        self._good |= self._load_references(sensors, set(before.sensor.tolist()))
        self._changes: list[tuple[Check, Change | Good]] = []  # a Good is further beyond the limit than all before

    def at(self, sensor: int, time_us: int, value: float, quality: int) -> None:
        """The next reading in the order of receipt."""
        if time_us < self._seen_us.get(sensor, time_us):
            return
        self._seen_us[sensor] = time_us
        self._is_bad[sensor] = quality < UNCERTAIN
        if quality < UNCERTAIN:
            return
        before = self._good.get(sensor)
        for check in self._rules.by_sensor.get(sensor, ()):
            self._check(check, time_us, value, before)
        self._good[sensor] = Good(time_us, value)

    def _check(self, check: Check, time_us: int, value: float, before: Good | None) -> None:
        limits, key = check.limits, check.key
        standing = self._standings.get(key, NORMAL)
        reference = self._reference(check, time_us)
        standing, changes = follow(limits, standing, time_us, value, before, reference, check.is_scheduled(time_us))
        self._changes += [(check, change) for change in changes]
        if standing.phase is Phase.NORMAL:
            self._standings.pop(key, None)
        else:
            self._standings[key] = standing

    def _reference(self, check: Check, time_us: int) -> float | None:
        """The value of the other sensor of a deviation, unless it is stale."""
        if check.reference is None:
            return None
        other = self._good.get(check.reference.sensor)
        return other.value if other is not None and time_us - other.time_us <= check.reference.stale_us else None

    def _load_references(self, sensors: list[int], advanced: set[int]) -> dict[int, Good]:
        """The values of those sensors from which others deviate, and of which nothing newer came in this batch."""
        checks = (check for sensor in sensors for check in self._rules.by_sensor.get(sensor, ()))
        others = {check.reference.sensor for check in checks if check.reference is not None} - advanced
        if not others:
            return {}
        rows = self._cursor.execute(LATEST, [sorted(others)]).fetchall()
        good = {sensor: Good(time_us, value) for sensor, time_us, value, quality in rows if quality >= UNCERTAIN}
        return good | load_good(self._cursor, [sensor for sensor, _, _, quality in rows if quality < UNCERTAIN])

    def keep(self) -> None:
        if self._changes:
            keep_changes(self._cursor, Source.INGEST, self._changes)
        time_us = self._seen_us
        keep_standings(
            self._cursor,
            {key: standing for key, standing in self._standings.items() if standing != self._known.get(key)},
            self._known.keys() - self._standings.keys(),
            {
                key: due_in_us(self._rules.by_key[key].limits, standing, time_us[key.sensor])
                for key, standing in self._standings.items()
            },
        )
        self._keep_good()

    def _keep_good(self) -> None:
        """Of sensors whose rules look back: the last good reading, while `latest` has a bad one."""
        with_good = self._rules.with_good & self._is_bad.keys() & self._good.keys()
        bad = [(sensor, *self._good[sensor]) for sensor in sorted(with_good) if self._is_bad[sensor]]
        changed = [row for row in bad if self._kept_good.get(row[0]) != row[1:]]
        if changed:
            self._cursor.execute(KEEP_GOOD, list(map(list, zip(*changed, strict=True))))
        over = [sensor for sensor in self._kept_good if not self._is_bad[sensor]]
        if over:
            self._cursor.execute(FORGET_GOOD, [over])
