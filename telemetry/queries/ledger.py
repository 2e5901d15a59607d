"""What the ledger says of a span of time, summed up by source, kind, plant or minute."""

from datetime import datetime
from typing import LiteralString, NamedTuple

from psycopg import Connection, sql

from telemetry.storage.ledger import BROKEN

# What makes a line, as columns of text.
GROUPS: dict[str, dict[str, LiteralString]] = {
    "source": {"kind": "kind", "source": "source"},
    "plant": {"kind": "kind", "plant": "split_part(source, '/', 1)"},
    "kind": {"kind": "kind"},
    "minute": {"minute": "to_char(minute AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI\"Z\"')"},
}
SUM_UP = """
SELECT {columns}, sum(received)::bigint, sum(stored)::bigint, sum(duplicate)::bigint, sum(conflict)::bigint,
       sum(late)::bigint, sum(dead)::bigint, count(*) FILTER (WHERE {broken})
FROM ledger
WHERE minute >= date_trunc('minute', %(since)s::timestamptz) AND starts_with(source, %(source)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
GROUP BY {groups} ORDER BY {groups}
"""


class Line(NamedTuple):
    """Sums in samples; `broken` counts entries whose counts don't match."""

    group: dict[str, str]
    received: int
    stored: int
    duplicate: int
    conflict: int
    late: int
    dead: int
    broken: int


def lines(connection: Connection, since: datetime, by: str, source: str = "", kind: str | None = None) -> list[Line]:
    """By one of GROUPS, in order; of sources that begin with `source`, from the minute of `since` on."""
    columns = GROUPS[by]
    statement = sql.SQL(SUM_UP).format(
        columns=sql.SQL(", ").join(map(sql.SQL, columns.values())),
        groups=sql.SQL(", ").join(sql.Literal(place) for place in range(1, len(columns) + 1)),
        broken=sql.SQL(BROKEN),
    )
    rows = connection.execute(statement, {"since": since, "source": source, "kind": kind}).fetchall()
    return [Line(dict(zip(columns, row, strict=False)), *row[len(columns) :]) for row in rows]
