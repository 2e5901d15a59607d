"""A historian in the past: days of readings that are old enough to be dropped or compressed."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from psycopg import Connection, sql

from plants.scales import GOOD
from telemetry.readings import Reading
from telemetry.storage import flavour
from telemetry.tests.samples import us

FIRST = datetime(2025, 1, 10, tzinfo=UTC)
DAYS = [FIRST + timedelta(days=day) for day in range(4)]
KEEP_DAYS = 30
NOW = DAYS[2] + timedelta(days=KEEP_DAYS + 1, hours=3)  # the first two are older than is kept, and a day more


def clear(connection: Connection) -> None:
    """Empties the relations, forgets all days, and sets what is stored to end before FIRST."""
    connection.execute("TRUNCATE reading, latest, rollup_dirty, rollup_1m, rollup_1h, rollup_1d")
    storage = flavour(connection)
    for day in storage.raw_days(connection, datetime(2100, 1, 1, tzinfo=UTC)):
        storage.drop_day(connection, day)
    connection.execute("UPDATE rollup_state SET shown_to = %(at)s, mark_from = %(at)s, raw_from = NULL", {"at": FIRST})


def readings(sensor: int, times: Iterable[datetime] = (), *, a_day: int = 5) -> list[Reading]:
    """A reading at each of these times; without, some in each of DAYS."""
    chosen = list(times) or [day + timedelta(hours=4 * n, minutes=7) for day in DAYS for n in range(a_day)]
    return [(sensor, us(time), float(n), GOOD) for n, time in enumerate(chosen)]


def raw_by_day(connection: Connection) -> dict[str, int]:
    """How many readings there really are of each day, `{"2025-01-10": 5}`."""
    query = sql.SQL("SELECT (time AT TIME ZONE 'UTC')::date::text, count(*) FROM reading GROUP BY 1 ORDER BY 1")
    return dict(connection.execute(query).fetchall())
