"""COPY: what PostgreSQL reads back is what was written."""

import numpy as np
import pytest

from telemetry.ingest.copy import copy_rows
from telemetry.ingest.store import connect


@pytest.mark.django_db(transaction=True)
def test_it_writes_every_value_exactly() -> None:
    time_us = np.array([0, 946_684_800_000_000, 1_733_904_005_123_456, -1], np.int64)
    value = np.array([0.1, -0.0, np.nan, 1.7976931348623157e308])
    quality = np.array([0, 64, 192, 255], np.int16)
    sensor = np.array([1, 2**31 - 1, 17, 3], np.int32)
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE back (time timestamptz, value float8, quality int2, sensor int4)")
        with cursor.copy("COPY back (time, value, quality, sensor) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(copy_rows(time_us, value, quality, sensor))
        cursor.execute("SELECT (extract(epoch FROM time) * 1000000)::int8, value, quality, sensor FROM back")
        rows = cursor.fetchall()
    assert [row[0] for row in rows] == time_us.tolist()
    assert [str(row[1]) for row in rows] == [str(each) for each in value.tolist()]
    assert [row[2:] for row in rows] == list(zip(quality.tolist(), sensor.tolist(), strict=True))
