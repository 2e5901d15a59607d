"""Where rules stand, in the database: only what is not plainly normal has a row."""

from collections.abc import Iterable, Mapping, Sequence

from psycopg import Cursor

from alarms.conditions import Good, Kind, Phase, Standing
from alarms.rule_set import Key, RuleSet

STANDINGS = "SELECT rule_id, sensor, phase, since_us, anchor FROM rule_state WHERE sensor = ANY(%s)"
KEEP = """
INSERT INTO rule_state AS old (rule_id, sensor, phase, since_us, anchor, due_at)
SELECT rule_id, sensor, phase, since_us, anchor, statement_timestamp() + due_us * interval '1 microsecond'
FROM unnest(%s::uuid[], %s::int[], %s::int2[], %s::bigint[], %s::float8[], %s::bigint[])
    AS new (rule_id, sensor, phase, since_us, anchor, due_us)
ON CONFLICT (rule_id, sensor) DO UPDATE
SET phase = excluded.phase, since_us = excluded.since_us, anchor = excluded.anchor, due_at = excluded.due_at
"""
FORGET = "DELETE FROM rule_state WHERE (rule_id, sensor) IN (SELECT * FROM unnest(%s::uuid[], %s::int[]))"

LAST_GOOD = "SELECT sensor, time_us, value FROM last_good WHERE sensor = ANY(%s)"

Standings = dict[Key, Standing]


def read_standings(cursor: Cursor, rules: RuleSet, sensors: Sequence[int]) -> Standings:
    """Of the rules that wait for readings of these sensors. Where one is gone, `watch` puts that in order."""
    rows = cursor.execute(STANDINGS, [sensors]).fetchall()
    found = {
        Key(rule_id, sensor): Standing(Phase(phase), since_us, anchor)
        for rule_id, sensor, phase, since_us, anchor in rows
    }
    return {
        key: standing
        for key, standing in found.items()
        if key in rules.by_key and rules.by_key[key].limits.kind is not Kind.NO_DATA
    }


def keep_standings(cursor: Cursor, changed: Standings, gone: Iterable[Key], due_in: Mapping[Key, int | None]) -> None:
    """Writes those that changed, and takes away those that are normal again."""
    if gone := sorted(gone):
        cursor.execute(FORGET, [[key.rule_id for key in gone], [key.sensor for key in gone]])
    if changed:
        rows = [(*key, *standing, due_in[key]) for key, standing in changed.items()]
        cursor.execute(KEEP, list(map(list, zip(*rows, strict=True))))


def load_good(cursor: Cursor, sensors: Sequence[int]) -> dict[int, Good]:
    """The last readings that were not bad, of those sensors whose latest is."""
    if not sensors:
        return {}
    rows = cursor.execute(LAST_GOOD, [sensors]).fetchall()
    return {sensor: Good(time_us, value) for sensor, time_us, value in rows}
