"""numpy's arrays as PostgreSQL's binary ones, both ways, without a loop over their elements.

Format: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/utils/adt/arrayfuncs.c, `array_send`.
"""

import struct
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.abc import Buffer, DumperKey, PyFormat
from psycopg.adapt import Dumper, Loader
from psycopg.postgres import types
from psycopg.pq import Format

from telemetry.ingest.copy import POSTGRES_EPOCH_US

HEAD = struct.Struct(">iiIii")  # dimensions, whether there are nulls, type of the elements, length, first index
NAMES = {np.int16: "int2", np.int32: "int4", np.int64: "int8", np.float64: "float8", np.datetime64: "timestamptz"}
DTYPES = {types[name].oid: np.dtype("M8[us]" if kind is np.datetime64 else kind) for kind, name in NAMES.items()}


def array_cursor(connection: psycopg.Connection) -> psycopg.Cursor:
    """Takes one-dimensional arrays as parameters, and gives such for those of a result, in which there are no nulls.

    Of int16, int32, int64, float64, and datetime64[us], in UTC, in which NaT is -infinity.
    """
    cursor = psycopg.Cursor(connection)  # whatever the connection's own kind: Django's puts values into the text
    cursor.format = Format.BINARY
    cursor.adapters.register_dumper(np.ndarray, ArrayDumper)
    for name in NAMES.values():
        cursor.adapters.register_loader(types[name].array_oid, ArrayLoader)
    return cursor


class ArrayDumper(Dumper):
    format = Format.BINARY
    _element = 0  # its type's oid

    def get_key(self, obj: NDArray[Any], format: PyFormat) -> DumperKey:
        return self.cls, obj.dtype.type

    def upgrade(self, obj: NDArray[Any], format: PyFormat) -> "ArrayDumper":
        dumper = ArrayDumper(self.cls)
        info = types[NAMES[obj.dtype.type]]
        dumper.oid, dumper._element = info.array_oid, info.oid
        return dumper

    def dump(self, obj: NDArray[Any]) -> bytes:
        elements = np.empty(len(obj), _element(obj.dtype))
        elements["size"] = obj.dtype.itemsize
        elements["value"] = _since_2000(obj) if obj.dtype.kind == "M" else obj
        return HEAD.pack(1, 0, self._element, len(obj), 1) + elements.tobytes()


class ArrayLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> NDArray[Any]:
        dimensions, has_nulls, oid = struct.unpack_from(">iiI", data)
        if has_nulls or dimensions > 1:
            raise psycopg.DataError("The array has nulls or several dimensions.")
        dtype = DTYPES[oid]
        element = _element(dtype)
        elements = np.frombuffer(data, element, offset=HEAD.size) if dimensions else np.empty(0, element)
        if dtype.kind == "M":
            return _since_1970(elements["value"].astype(np.int64))
        return elements["value"].astype(dtype)


def _element(dtype: np.dtype[Any]) -> np.dtype[Any]:
    value = np.dtype(np.int64) if dtype.kind == "M" else dtype
    return np.dtype([("size", ">i4"), ("value", value.newbyteorder(">"))])


NAT = np.iinfo(np.int64).min  # as an integer, which is PostgreSQL's -infinity


def _since_2000(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    us = times.view(np.int64)
    return np.where(us == NAT, NAT, us - POSTGRES_EPOCH_US)


def _since_1970(us: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return np.where(us == NAT, NAT, us + POSTGRES_EPOCH_US).view("M8[us]")
