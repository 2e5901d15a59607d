"""A UTC day of raw readings, as each flavour's `raw_days` gives it and its `drop_days` takes it."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple


class RawDay(NamedTuple):
    """What one day takes on disk, indexes included."""

    day: date
    bytes: int
    is_compressed: bool

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return start_of(self.day) + timedelta(days=1)


def start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
