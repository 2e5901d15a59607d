"""The programs of PostgreSQL that a backup uses: which, and with what on their command line."""

from pathlib import Path

import pytest

from inqube.backup import BackupError, programs


def install(directory: Path, major: int) -> Path:
    """Programs that say they are of that version."""
    directory.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (directory / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {major}.2'\n")
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = [install(tmp_path / str(major), major) for major in (18, 15, 17)]
    monkeypatch.setattr(programs, "candidates", lambda wanted: [Path(wanted)] if wanted else found)
    return tmp_path


@pytest.mark.parametrize(("server", "chosen"), [(15, "15"), (16, "17"), (17, "17"), (18, "18")])
def test_it_takes_the_oldest_that_is_not_older_than_the_server(installed: Path, server: int, chosen: str) -> None:
    assert programs.programs_for(server, "") == installed / chosen


def test_it_takes_those_that_it_was_told(installed: Path) -> None:
    assert programs.programs_for(15, str(installed / "18")) == installed / "18"


def test_it_refuses_programs_that_are_older_than_the_server(installed: Path) -> None:
    with pytest.raises(
        BackupError, match=r"The server is PostgreSQL 17, and pg_dump in .*/15 is of 15, which is too old"
    ):
        programs.programs_for(17, str(installed / "15"))


def test_it_says_what_to_install_where_there_are_none(installed: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"There are no pg_dump and pg_restore in .*: postgresql-client-17"):
        programs.programs_for(17, str(tmp_path / "nothing"))


def test_it_finds_those_of_the_demo() -> None:
    assert 18 in {programs.major(directory) for directory in programs.candidates("")}


def test_it_shows_no_password_on_the_command_line(tmp_path: Path) -> None:
    address = programs.of_params({"host": "db", "user": "inqube", "password": "hunter2 '", "pool": {}, "port": ""})
    assert address == {
        "host": "db",
        "user": "inqube",
        "password": "hunter2 '",
        "application_name": programs.APPLICATION_NAME,
    }
    assert "hunter2" not in " ".join(programs.database_arguments(address))
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "$PGPASSWORD" >&2; exit 3\n')
    program.chmod(0o755)
    with pytest.raises(BackupError, match=r"^pg_dump failed: hunter2 '$"):
        programs.run([str(program)], address)
