"""Readings by column: they grow, and can be read as arrays and as tuples."""

import pytest

from telemetry.ingest.columns import ReadingTable, columns
from telemetry.readings import Reading

ROWS: list[Reading] = [(7, 1_790_000_000_000_000, 1.5, 192), (8, 1_790_000_000_000_001, -2.0, 64)]


@pytest.fixture
def table() -> ReadingTable:
    made = ReadingTable()
    for row in ROWS:
        made.append(row)
    made.extend([9, 7], 1_790_000_000_000_002, [3.25, 4])
    return made


ALL = [*ROWS, (9, 1_790_000_000_000_002, 3.25, 192), (7, 1_790_000_000_000_002, 4.0, 192)]


def test_it_holds_the_readings_in_their_order(table: ReadingTable) -> None:
    assert list(table) == ALL
    assert table[1:] == ALL[1:]
    assert len(table) == 4


def test_it_gives_them_by_column(table: ReadingTable) -> None:
    assert columns(table).rows() == columns(ALL).rows() == ALL


def test_it_has_columns_without_a_reading() -> None:
    assert [len(each) for each in columns([])] == [0, 0, 0, 0]


def test_it_does_not_grow_under_those_who_read_its_columns(table: ReadingTable) -> None:
    read = columns(table)
    with pytest.raises(BufferError):
        table.append(ROWS[0])
    assert len(read.sensor) == 4
