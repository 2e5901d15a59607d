"""How long the quarantine keeps what nobody has decided."""

from datetime import datetime

from psycopg import Connection

FORGET_ENTRIES = "DELETE FROM discovered_sensor WHERE last_seen < %s"

# Of entries that are gone too, with their plant or by the statement above.
FORGET_SAMPLES = """
WITH gone AS (
    DELETE FROM quarantined_sample AS sample
    WHERE time < %s OR NOT EXISTS (SELECT FROM discovered_sensor WHERE number = sample.discovered)
    RETURNING discovered
)
UPDATE discovered_sensor SET kept = kept - samples
FROM (SELECT discovered, count(*) AS samples FROM gone GROUP BY discovered) AS counted
WHERE number = discovered
"""


def forget(connection: Connection, silent_since: datetime, too_old: datetime) -> int:
    """Forgets entries that nothing came for since, and samples too old to be stored ever; gives the entries' number."""
    entries = connection.execute(FORGET_ENTRIES, [silent_since]).rowcount
    connection.execute(FORGET_SAMPLES, [too_old])
    return entries
