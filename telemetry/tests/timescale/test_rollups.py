"""The contract of the rollups on TimescaleDB: the same histories, the same rows."""

from datetime import timedelta
from itertools import count

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from telemetry.ingest.latest import newest_of_each, upsert
from telemetry.ingest.store import columns as of_readings
from telemetry.storage import rollups
from telemetry.tests.storage.histories import START, History, Write, assert_exact, histories, keep, moved, play

pytestmark = pytest.mark.timescale

SENSORS = [1, 2, 3]
APART = timedelta(days=10)  # histories follow each other, since a continuous aggregate never goes back

INSERT = """
INSERT INTO reading (sensor, time, value, quality)
SELECT sensor, '1970-01-01Z'::timestamptz + time_us * interval '1 microsecond', value, quality
FROM unnest(%s::int[], %s::bigint[], %s::float8[], %s::int[]) AS new (sensor, time_us, value, quality)
ON CONFLICT DO NOTHING RETURNING sensor, (extract(epoch FROM time) * 1000000)::bigint
"""

number = count()


def insert(connection: psycopg.Connection, readings: Write) -> None:
    """Writes as the store does; without COPY, which the WebAssembly server does not speak."""
    with connection.transaction(), connection.cursor() as cursor:
        mark_from_us = rollups.begin_writing(cursor)
        columns = [list(column) for column in zip(*readings, strict=True)]
        new = cursor.execute(INSERT, columns).fetchall()
        upsert(connection, newest_of_each(of_readings(readings)))
        if new:
            sensor, time_us = (np.array(column) for column in zip(*new, strict=True))
            rollups.leave_marks(cursor, mark_from_us, sensor, time_us)


@given(drawn=histories(SENSORS))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_it_gives_what_a_plain_recomputation_gives(timescale: psycopg.Connection, drawn: History) -> None:
    by = next(number) * APART
    history = moved(drawn, by)
    play(timescale, history, lambda readings: insert(timescale, readings), START + by)
    assert_exact(timescale, keep(history), SENSORS, START + by)
