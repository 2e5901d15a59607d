"""A file of readings as records with their places, so that an import can go on where it stopped."""

import csv
import fcntl
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Literal, NamedTuple, Self, cast

import orjson

MAX_RECORD_BYTES = 64 * 1024  # a reading has about 70; what is longer comes in pieces, each of which is refused
DIGEST_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
DAMAGES = (EOFError, gzip.BadGzipFile, zlib.error)
BOM = b"\xef\xbb\xbf"

Format = Literal["csv", "ndjson"]


class FileError(Exception):
    """The file cannot be imported at all; the text says why."""


class Record(NamedTuple):
    line: int  # of its beginning, from 1
    end: int  # offset behind it in the uncompressed file
    text: str


class ReadingsFile:
    """An open file: CSV, whose first line names the columns, or NDJSON. Only one process has it open at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._raw: BufferedReader = path.open("rb")
        except OSError as error:
            raise FileError(f"{path} can't be read: {error.strerror}.") from None
        try:
            fcntl.flock(self._raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._raw.close()
            raise FileError(f"{path} is being imported by another process.") from None
        self.size = path.stat().st_size
        is_packed = self._raw.peek(2)[:2] == GZIP_MAGIC
        self._bytes = cast(IO[bytes], gzip.GzipFile(fileobj=self._raw) if is_packed else self._raw)
        self.format: Format = "csv"
        self.columns: list[str] = []
        self._head_end = 0
        try:
            self._read_head()
        except FileError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._bytes.close()
        self._raw.close()

    @property
    def digest(self) -> str:
        """What tells this file from another of the same size: a hash of its beginning."""
        with self.path.open("rb") as file:
            return hashlib.sha256(file.read(DIGEST_BYTES)).hexdigest()

    @property
    def fraction(self) -> float:
        """How much of it has been read."""
        return self._raw.tell() / self.size if self.size else 1.0

    def records(self, offset: int = 0, line: int = 1) -> Iterator[Record]:
        """The records from a place on, which is the beginning or that behind a record; none for empty lines.

        Raises:
            FileError: a gzipped file is damaged, or ends too early.
        """
        if self.format == "csv" and offset == 0:
            offset, line = self._head_end, 2
        try:
            self._bytes.seek(offset)
            while data := self._record():
                offset += len(data)
                text = data.decode(errors="replace").rstrip("\r\n")
                if text.strip():
                    yield Record(line, offset, text)
                line += max(1, data.count(b"\n"))
        except DAMAGES as error:
            raise FileError(f"{self.path} is damaged or incomplete behind line {line - 1:,}: {error}.") from None

    def _record(self) -> bytes:
        """The next line; in CSV with those that a quoted cell's line breaks make of it. Empty at the end."""
        data = self._bytes.readline(MAX_RECORD_BYTES)
        if self.format == "csv":
            while data.count(b'"') % 2 and len(data) < MAX_RECORD_BYTES:
                more = self._bytes.readline(MAX_RECORD_BYTES - len(data))
                if not more:
                    break
                data += more
        return data

    def _read_head(self) -> None:
        try:
            data = self._record()
        except DAMAGES as error:
            raise FileError(f"{self.path} is damaged: {error}.") from None
        head = data.removeprefix(BOM).decode(errors="replace").strip()
        if head.startswith("{"):
            self.format = "ndjson"
            return
        self._head_end = len(data)
        self.columns = [name.strip().lower() for name in next(csv.reader([head]), [])]
        missing = [name for name in ("address", "timestamp", "value") if name not in self.columns]
        if missing:
            raise FileError(
                f"{self.path} begins neither with the columns address, timestamp and value (of CSV) nor with an object "
                f"(of NDJSON): {' and '.join(missing)} missing in “{head[:80]}”. Wide files can't be imported."
            )

    def fields(self, records: list[Record]) -> list[dict[str, object] | str]:
        """Each record's fields by name, or why it has none."""
        if self.format == "ndjson":
            return [_object(record.text.removeprefix("\ufeff")) for record in records]
        return [self._named(cells) for cells in _cells([record.text for record in records])]

    def _named(self, cells: list[str] | str) -> dict[str, object] | str:
        if isinstance(cells, str):
            return cells
        if len(cells) != len(self.columns):
            return f"The line has {len(cells)} cells; the head has {len(self.columns)}."
        return dict(zip(self.columns, cells, strict=True))


def _cells(texts: list[str]) -> list[list[str] | str]:
    """Each text's cells, or why it has none: all by one reader, which is quick, unless one of them is no CSV."""
    try:
        found: list[list[str] | str] = [*csv.reader(texts, strict=True)]
        if len(found) == len(texts):
            return found
    except csv.Error:
        pass
    found = []
    for text in texts:
        try:
            found.append(next(csv.reader([text], strict=True)))
        except csv.Error as error:
            found.append(f"The line is not CSV: {error}.")
    return found


def _object(text: str) -> dict[str, object] | str:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"The line is not JSON: {error}."
    return found if isinstance(found, dict) else "The line is not an object."
