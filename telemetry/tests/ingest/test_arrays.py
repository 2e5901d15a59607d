"""Arrays to PostgreSQL and back: every bit, and what is in between."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from telemetry.ingest.arrays import array_cursor
from telemetry.ingest.store import connect

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("int2", np.array([-(2**15), 0, 192, 2**15 - 1], np.int16)),
        ("int4", np.array([-(2**31), 7, 2**31 - 1], np.int32)),
        ("int8", np.array([-(2**63), 7, 2**63 - 1], np.int64)),
        ("float8", np.array([0.1, -0.0, np.inf, 5e-324, 1.7e308])),
        ("timestamptz", np.array(["1969-12-31T23:59:59.999999", "2026-11-24T09:02:08.000001", "NaT"], "M8[us]")),
        ("int4", np.array([], np.int32)),
    ],
)
def test_it_gives_back_what_it_took(name: str, values: NDArray[Any]) -> None:
    with connect() as connection, array_cursor(connection) as cursor:
        row = cursor.execute(f"SELECT %s::{name}[]", [values]).fetchone()
        assert row is not None
        np.testing.assert_array_equal(row[0], values)
        assert row[0].dtype == values.dtype


def test_postgres_reads_a_time_as_it_is_meant() -> None:
    times = np.array(["2026-11-24T09:02:08.000001", "NaT"], "M8[us]")
    with connect() as connection, array_cursor(connection) as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        row = cursor.execute("SELECT array_to_string(%s::timestamptz[], ' ')", [times]).fetchone()
    assert row == ("2026-11-24 09:02:08.000001+00 -infinity",)
