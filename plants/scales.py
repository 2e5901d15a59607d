"""The scales in which readings are told: times in microseconds since 1970 UTC, qualities as OPC DA bytes.

Integers of microseconds are exact, small, and what both numpy and PostgreSQL want.
"""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000

GOOD, UNCERTAIN, BAD = 192, 64, 0  # OPC DA quality bytes; 192 and above good, 64 to 191 uncertain, below bad


def microseconds(moment: datetime) -> int:
    """Of a time with a zone, since 1970 UTC; exact."""
    return (moment - EPOCH) // MICROSECOND


def instant(time_us: int) -> datetime:
    """The inverse, in UTC. Raises OverflowError for a time that no calendar has."""
    return EPOCH + timedelta(microseconds=time_us)
