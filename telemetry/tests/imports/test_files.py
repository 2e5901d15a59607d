"""Files of readings as records: their places, and what is no record."""

import gzip
from pathlib import Path

import pytest

from telemetry.imports.files import FileError, ReadingsFile

HEAD = "address,timestamp,value\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readings"


@pytest.mark.parametrize("packed", [False, True])
def test_it_goes_on_from_any_record(path: Path, packed: bool) -> None:
    content = (HEAD + 'a,1,2\n"b\nb",3,4\n\nc,5,6').encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    with ReadingsFile(path) as file:
        records = list(file.records())
        assert [(record.line, record.text) for record in records] == [(2, "a,1,2"), (3, '"b\nb",3,4'), (6, "c,5,6")]
        for done, record in enumerate(records, 1):
            following = file.records(record.end, record.line + 1 + record.text.count("\n"))
            assert [each.text for each in following] == [each.text for each in records[done:]]


def test_it_says_of_each_line_that_is_no_record_why_and_reads_the_others(path: Path) -> None:
    path.write_text(HEAD + 'a,1,2\na"b"c,"1"x,2\nshort\nd,3,4\n')
    with ReadingsFile(path) as file:
        first, quoted, short, last = file.fields(list(file.records()))
    assert first == {"address": "a", "timestamp": "1", "value": "2"}
    assert last == {"address": "d", "timestamp": "3", "value": "4"}
    assert str(quoted).startswith("The line is not CSV: ")
    assert short == "The line has 1 cells; the head has 3."


def test_it_says_which_line_is_no_object(path: Path) -> None:
    path.write_text('{"address": "a"}\n[1]\n{"address"\n')
    with ReadingsFile(path) as file:
        found = file.fields(list(file.records()))
    assert found[0] == {"address": "a"}
    assert found[1] == "The line is not an object."
    assert str(found[2]).startswith("The line is not JSON: ")


def test_it_does_not_keep_a_line_without_end(path: Path) -> None:
    path.write_text(HEAD + "x" * 200_000)
    with ReadingsFile(path) as file:
        assert {len(record.text) for record in file.records()} == {65_536, 200_000 % 65_536}


def test_it_lets_one_process_in(path: Path) -> None:
    path.write_text(HEAD)
    with ReadingsFile(path), pytest.raises(FileError, match="imported by another process"):
        ReadingsFile(path)
