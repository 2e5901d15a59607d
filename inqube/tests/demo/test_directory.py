"""One demo at a time uses a directory, and a reset removes only what is the demo's."""

from pathlib import Path

import pytest

from inqube.demo import DemoError
from inqube.demo.directory import Directory, last_lines


def test_it_refuses_a_second_demo(tmp_path: Path) -> None:
    with (
        Directory(tmp_path).locked(),
        pytest.raises(DemoError, match=r"A demo runs in .* already"),
        Directory(tmp_path).locked(),
    ):
        pass


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with Directory(tmp_path).locked():
            pass


def test_it_resets_only_what_is_its_own(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    directory.create()
    (directory.postgres / "base").mkdir(parents=True)
    directory.credentials.write_text("{}")
    (tmp_path / "diary.txt").write_text("mine")
    directory.reset()
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_it_shows_the_end_of_a_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"line {n}\n" for n in range(100)))
    assert last_lines(tmp_path / "log", 2) == "line 98\nline 99"
