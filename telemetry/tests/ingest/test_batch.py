"""Batch: when it is due."""

import pytest

from telemetry.ingest.batch import QUIET_MESSAGES, QUIET_S, Batch, Limits
from telemetry.readings import Reading

LIMITS = Limits(readings=30, age_s=0.2)
READING: Reading = (1, 0, 1.0, 192)


def batch(readings: int, messages: int, opened_at: float = 10.0, grew_at: float | None = None) -> Batch:
    made = Batch()
    for _ in range(readings):
        made.readings.append(READING)
    if messages:
        made.grow(messages, opened_at)
    if grew_at is not None:
        made.grow(0, grew_at)
    return made


@pytest.mark.parametrize(
    ("given", "now", "due_in"),
    [
        (batch(0, 0), 10.0, None),
        (batch(1, 1), 10.0, 0.2),
        (batch(1, 1), 10.15, 0.05),
        (batch(1, 1), 11.0, 0.0),
        (batch(30, 1), 10.0, 0.0),
        (batch(0, 30), 10.0, 0.0),  # messages of which nothing is left to store still wait to be acknowledged
        (batch(QUIET_MESSAGES, QUIET_MESSAGES), 10.0, QUIET_S),
        (batch(QUIET_MESSAGES, QUIET_MESSAGES, grew_at=10.1), 10.1, QUIET_S),
        (batch(QUIET_MESSAGES, QUIET_MESSAGES, grew_at=10.199), 10.199, 0.001),
        (batch(QUIET_MESSAGES - 1, QUIET_MESSAGES - 1), 10.0, 0.2),
    ],
)
def test_it_is_due_when_full_or_old_or_quiet(given: Batch, now: float, due_in: float | None) -> None:
    assert given.due_in(now, LIMITS) == (pytest.approx(due_in) if due_in is not None else None)
