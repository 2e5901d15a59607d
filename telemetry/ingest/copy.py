"""Readings as the bytes of PostgreSQL's binary COPY, made by numpy without a loop.

Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

import numpy as np
from numpy.typing import NDArray

COPY_READINGS = "COPY reading (time, value, quality, sensor) FROM STDIN (FORMAT BINARY)"

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)  # signature, no flags, no header extension
TRAILER = b"\xff\xff"

# PostgreSQL counts time from 2000-01-01 UTC, in microseconds.
POSTGRES_EPOCH_US = 946_684_800_000_000

ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("time_bytes", ">i4"),
        ("time", ">i8"),
        ("value_bytes", ">i4"),
        ("value", ">f8"),
        ("quality_bytes", ">i4"),
        ("quality", ">i2"),
        ("sensor_bytes", ">i4"),
        ("sensor", ">i4"),
    ]
)


def copy_rows(
    time_us: NDArray[np.int64],
    value: NDArray[np.float64],
    quality: NDArray[np.int16],
    sensor: NDArray[np.int32],
) -> bytes:
    """The whole COPY stream for n readings, in the column order of `COPY_READINGS`.

    Args:
        time_us: microseconds since 1970 UTC, shape (n,), as are the others.
        value: finite or not; PostgreSQL's float8 takes both.
        quality: OPC DA byte.
        sensor: `Sensor.number`.
    """
    rows = np.empty(len(time_us), ROW)
    rows["fields"] = 4
    rows["time_bytes"] = 8
    rows["time"] = time_us - POSTGRES_EPOCH_US
    rows["value_bytes"] = 8
    rows["value"] = value
    rows["quality_bytes"] = 2
    rows["quality"] = quality
    rows["sensor_bytes"] = 4
    rows["sensor"] = sensor
    return HEADER + rows.tobytes() + TRAILER
