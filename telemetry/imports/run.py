"""An import as code: records in batches through decode, resolve, validate and store."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from telemetry.imports.files import FileError, ReadingsFile, Record
from telemetry.imports.rows import samples
from telemetry.imports.state import Counts, Place
from telemetry.ingest.columns import columns
from telemetry.ingest.insert import LOOK_UP_BY_KEY
from telemetry.ingest.judge import reading_of
from telemetry.ingest.ledger import Receipt
from telemetry.ingest.letters import Letter
from telemetry.ingest.resolve import Directory
from telemetry.ingest.store import NOTHING, Stored
from telemetry.ingest.validate import Window
from telemetry.readings import Reading, Rejected, Sample

BATCH_LINES = 20_000  # stored in one transaction: a tenth of a second, and what is done again after a kill
EXAMPLE_CHARACTERS = 200
INVALID_LINE = "invalid_line"  # beside ingest's reasons: a line that is no record of its format

THERE_ALREADY = """
SELECT count(*), count(*) FILTER (WHERE (new.value, new.quality) IS DISTINCT FROM (reading.value, reading.quality))
FROM unnest(%s::int[], %s::bigint[], %s::float8[], %s::int2[]) AS new (sensor, time_us, value, quality)
JOIN reading ON reading.sensor = new.sensor
    AND reading.time = '1970-01-01Z'::timestamptz + new.time_us * interval '1 microsecond'
"""

Write = Callable[
    [Sequence[Reading], Sequence[Letter], Sequence[Receipt], Sequence[Sample], Mapping[str, int]], Stored
]  # as Store.write


class Refused(NamedTuple):
    record: Record
    reason: str
    detail: str


class Rejects:
    """The refused lines as a file like the imported one, with the columns `reason` and `detail`: mend and import it."""

    def __init__(self, path: Path, file: ReadingsFile, keep_bytes: int) -> None:
        self._file = file
        self._columns = [name for name in file.columns if name not in ("reason", "detail")]
        self._output = path.open("r+b" if keep_bytes and path.exists() else "w+b")
        self._output.truncate(keep_bytes)
        self._output.seek(0, 2)
        if not self._output.tell() and file.format == "csv":
            self._write_cells([*self._columns, "reason", "detail"])

    def write(self, refused: list[Refused]) -> int:
        """Appends them; gives the file's size."""
        fields = self._file.fields([each.record for each in refused])
        for each, found in zip(refused, fields, strict=True):
            because = {"reason": each.reason, "detail": each.detail}
            row: dict[str, Any] = found if isinstance(found, dict) else {"text": each.record.text}
            if self._file.format == "ndjson":
                self._output.write(json.dumps({**row, **because}, ensure_ascii=False).encode() + b"\n")
            else:
                first = self._columns[0]
                known = row if isinstance(found, dict) else {first: each.record.text}
                self._write_cells([*(known.get(name, "") for name in self._columns), *because.values()])
        self._output.flush()
        return self._output.tell()

    def close(self) -> None:
        self._output.close()

    def _write_cells(self, cells: list[Any]) -> None:
        csv.writer(_Encoded(self._output), lineterminator="\n").writerow(cells)


class _Encoded:
    def __init__(self, output: Any) -> None:
        self._output = output

    def write(self, text: str) -> None:
        self._output.write(text.encode())


def run(
    file: ReadingsFile,
    place: Place,
    directory: Directory,
    accepted: Window,
    now_us: int,
    write: Write,
    rejects: Rejects | None,
) -> Iterator[None]:
    """Imports what lies behind the place, and moves it on after each batch, when that is committed.

    Raises:
        psycopg.Error: the database failed; what lies before the place is stored.
        FileError: the file is damaged from there on.
    """
    for batch in _batches(file.records(place.offset, place.line)):
        readings, refused = _readings(file, batch, directory, accepted, now_us)
        receipt = (file.path.name, len(batch), len(readings), len(refused))
        reasons = Counter(each.reason for each in refused)
        stored = write([reading for _, reading in readings], (), [receipt], (), reasons)
        refused += [Refused(readings[place][0], str(why.reason), why.detail) for place, why in stored.refused.items()]
        refused.sort(key=lambda each: each.record.line)
        _count(place.counts, len(batch), stored, refused)
        if rejects is not None:
            place.rejects_bytes = rejects.write(refused)
        last = batch[-1]
        place.offset, place.line = last.end, last.line + 1 + last.text.count("\n")
        yield


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    """BATCH_LINES at a time, and what comes before the place where the file is damaged."""
    batch: list[Record] = []
    try:
        for record in records:
            batch.append(record)
            if len(batch) == BATCH_LINES:
                yield batch
                batch = []
    except FileError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _readings(
    file: ReadingsFile, batch: list[Record], directory: Directory, accepted: Window, now_us: int
) -> tuple[list[tuple[Record, Reading]], list[Refused]]:
    """Decode, resolve and validate: the readings of the records, and those that have none."""
    readings: list[tuple[Record, Reading]] = []
    refused: list[Refused] = []
    sound: list[tuple[Record, dict[str, Any]]] = []
    for record, found in zip(batch, file.fields(batch), strict=True):
        if isinstance(found, str):
            refused.append(Refused(record, INVALID_LINE, found))
        else:
            sound.append((record, found))
    for (record, _), sample in zip(sound, samples([fields for _, fields in sound], now_us), strict=True):
        result = sample if isinstance(sample, Rejected) else reading_of(sample, directory, accepted)
        if isinstance(result, Rejected):
            refused.append(Refused(record, str(result.reason), result.detail))
        else:
            readings.append((record, result))
    return readings, refused


def _count(counts: Counts, lines: int, stored: Stored, refused: list[Refused]) -> None:
    counts.lines += lines
    counts.stored += stored.stored
    counts.duplicate += stored.duplicate
    counts.conflict += stored.conflict
    for record, reason, detail in refused:
        counts.rejected[reason] += 1
        counts.examples.setdefault(reason, [str(record.line), record.text[:EXAMPLE_CHARACTERS], detail])


def looking(connection: psycopg.Connection) -> Write:
    """What a dry run does in place of storing: counts those that are there. Repetitions in the file it doesn't see."""

    def look(
        readings: Sequence[Reading],
        letters: Sequence[Letter],
        receipts: Sequence[Receipt],
        unknown: Sequence[Sample],
        reasons: Mapping[str, int],
    ) -> Stored:
        if not readings:
            return NOTHING
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(LOOK_UP_BY_KEY)
            row = cursor.execute(THERE_ALREADY, [column.tolist() for column in columns(readings)]).fetchone()
        assert row is not None
        there, conflict = row
        return Stored(len(readings) - there, there - conflict, conflict, 0, {}, [])

    return look
