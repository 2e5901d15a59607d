"""What a database holds, so that two can be compared: rows and a checksum of each table, readings day by day.

A table's checksum is the XOR of a 64-bit hash of each of its rows: in whatever order they come, however they are spread
over partitions or chunks, compressed or not. PostgreSQL's hash functions stay what they are from version to version,
since hash partitions depend on them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NotRequired, TypedDict

from psycopg import Connection, sql

SCHEMA = "public"
BY_DAY = "reading"
MAX_DIFFERENCES = 20  # told one by one; a restore that failed altogether has thousands


class Held(TypedDict):
    rows: int
    checksum: str  # 16 hexadecimal digits
    days: NotRequired[dict[str, list[Any]]]  # of readings, by UTC day: [rows, checksum]


class Table(NamedTuple):
    name: str  # a continuous aggregate by its own name, since that of its table is a number's
    schema: str
    relation: str
    is_of_numbers: bool  # and times alone: then a row is hashed without being written as text, in a quarter of the time

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.relation)


OF_NUMBERS = """(
    SELECT bool_and(atttypid::regtype::text IN (
        'smallint', 'integer', 'bigint', 'double precision', 'timestamp with time zone'
    ))
    FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
)"""
TABLES = f"""
SELECT relname, nspname, relname, {OF_NUMBERS}
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = '{SCHEMA}' AND relkind IN ('r', 'p') AND NOT relispartition AND relpersistence = 'p'
AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
ORDER BY relname
"""
AGGREGATES = f"""
SELECT view_name, nspname, relname, {OF_NUMBERS}
FROM timescaledb_information.continuous_aggregates
JOIN pg_namespace ON nspname = materialization_hypertable_schema
JOIN pg_class ON relnamespace = pg_namespace.oid AND relname = materialization_hypertable_name
ORDER BY view_name
"""
HAS_TIMESCALEDB = "SELECT FROM pg_extension WHERE extname = 'timescaledb'"

# A row of text looks the same whatever the session's or the server's settings are.
SAME_TEXT = """
SELECT set_config(name, value, true) FROM (VALUES
    ('timezone', 'UTC'), ('datestyle', 'ISO, YMD'), ('intervalstyle', 'iso_8601'), ('extra_float_digits', '1'),
    ('bytea_output', 'hex')
) AS setting (name, value)
"""
HASH_NUMBERS, HASH_TEXT = "hash_record_extended(row(t.*), 0)", "hashtextextended(t::text, 0)"
WHOLE = "SELECT count(*), coalesce(bit_xor({hash}), 0) FROM {table} AS t"
DAYS = """
SELECT to_char(day, 'YYYY-MM-DD'), rows, hash FROM (
    SELECT date_bin('1 day', time, '2000-01-01Z') AT TIME ZONE 'UTC' AS day, count(*) AS rows, bit_xor({hash}) AS hash
    FROM {table} AS t GROUP BY 1
) AS days ORDER BY day
"""

TRIGGERS = f"""
SELECT format('%s.%s %s', relname, tgname, tgenabled) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = '{SCHEMA}'::regnamespace AND NOT tgisinternal AND tgparentid = 0 AND tgname !~ '^ts_' ORDER BY 1
"""
# Of identity columns, and of defaults: a sensor's number comes from a sequence of no table.
SEQUENCES = f"""
WITH used (sequence, relation, attribute) AS (
    SELECT objid, refobjid, refobjsubid FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
    UNION
    SELECT refobjid, adrelid, adnum FROM pg_depend JOIN pg_attrdef ON pg_attrdef.oid = objid
    WHERE classid = 'pg_attrdef'::regclass AND refclassid = 'pg_class'::regclass
)
SELECT of_sequence.relname, of_table.relname, attname
FROM used
JOIN pg_class AS of_sequence ON of_sequence.oid = sequence AND of_sequence.relkind = 'S'
JOIN pg_class AS of_table ON of_table.oid = relation AND of_table.relnamespace = '{SCHEMA}'::regnamespace
JOIN pg_attribute ON attrelid = relation AND attnum = attribute
WHERE of_sequence.relnamespace = '{SCHEMA}'::regnamespace ORDER BY 1
"""
HIGHEST = "SELECT max({column}), (SELECT last_value FROM {sequence}) FROM {table}"


def tables(connection: Connection) -> list[Table]:
    """All that hold what is InQube's, or anyone else's, in its schema."""
    found = [Table(*row) for row in connection.execute(TABLES)]
    if connection.execute(HAS_TIMESCALEDB).rowcount:
        found += [Table(*row) for row in connection.execute(AGGREGATES)]
    return found


def read(
    connection: Connection, of: Iterable[Table], tell: Callable[[str, Held], None] = lambda name, held: None
) -> dict[str, Held]:
    """What these tables hold, in the transaction at hand, whose snapshot should be one."""
    connection.execute(SAME_TEXT)
    found = {}
    for table in of:
        found[table.name] = _days(connection, table) if table.name == BY_DAY else _whole(connection, table)
        tell(table.name, found[table.name])
    return found


def _whole(connection: Connection, table: Table) -> Held:
    rows, checksum = connection.execute(_query(WHOLE, table)).fetchone() or (0, 0)
    return {"rows": rows, "checksum": _hex(checksum)}


def _days(connection: Connection, table: Table) -> Held:
    rows = checksum = 0
    days: dict[str, list[Any]] = {}
    for day, of_day, hash_of_day in connection.execute(_query(DAYS, table)):
        rows, checksum = rows + of_day, checksum ^ hash_of_day
        days[day] = [of_day, _hex(hash_of_day)]
    return {"rows": rows, "checksum": _hex(checksum), "days": days}


def _query(query: str, table: Table) -> sql.Composed:
    row_hash = sql.SQL(HASH_NUMBERS if table.is_of_numbers else HASH_TEXT)
    return sql.SQL(query).format(hash=row_hash, table=table.identifier)


def _hex(checksum: int) -> str:
    return f"{checksum & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def differences(expected: Mapping[str, Held], found: Mapping[str, Held]) -> list[str]:
    """A sentence for each table, and for each day of readings, that is not the same."""
    told = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            told.append(f"{name} is missing.")
        elif name not in expected:
            told.append(f"{name} was not in the backup.")
        elif expected[name] != found[name]:
            told += _of_table(name, expected[name], found[name])
    if len(told) > MAX_DIFFERENCES:
        told[MAX_DIFFERENCES:] = [f"And {len(told) - MAX_DIFFERENCES} more."]
    return told


def _of_table(name: str, expected: Held, found: Held) -> list[str]:
    days, those = expected.get("days", {}), found.get("days", {})
    if differing := [day for day in sorted(days.keys() | those.keys()) if days.get(day) != those.get(day)]:
        none = [0, _hex(0)]
        return [_sentence(f"{name} of {day}", *days.get(day, none), *those.get(day, none)) for day in differing]
    return [_sentence(name, expected["rows"], expected["checksum"], found["rows"], found["checksum"])]


def _sentence(what: str, rows: int, checksum: str, rows_found: int, checksum_found: str) -> str:
    if rows != rows_found:
        return f"{what} has {rows_found:,} rows where the backup has {rows:,}."
    return f"{what} has as many rows as the backup, {rows:,}, but not the same ones ({checksum_found}, not {checksum})."


def triggers(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute(TRIGGERS)]


def sequences_behind(connection: Connection) -> list[str]:
    """A sentence for each sequence that would give a number again. They are in no snapshot, so are not compared."""
    behind = []
    for sequence, table, column in connection.execute(SEQUENCES).fetchall():
        query = sql.SQL(HIGHEST).format(
            column=sql.Identifier(column),
            sequence=sql.Identifier(SCHEMA, sequence),
            table=sql.Identifier(SCHEMA, table),
        )
        highest, last = connection.execute(query).fetchone() or (None, 0)
        if highest is not None and last < highest:
            behind.append(f"{sequence} is at {last}, behind {table}.{column} at {highest}.")
    return behind
