"""`manage.py backup`: complete or not there, of one moment, for one user only."""

import stat
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from inqube.backup import catalogue, programs, take
from inqube.backup.catalogue import Backup
from plants.models import Plant

pytestmark = pytest.mark.django_db(transaction=True)


def back_up(directory: Path, **options: Any) -> str:
    said = StringIO()
    call_command("backup", directory=str(directory), stdout=said, **options)
    return said.getvalue()


def newest(directory: Path) -> Backup:
    backup = catalogue.newest(directory)
    assert backup is not None
    return backup


def test_it_makes_a_backup_that_says_what_is_in_it(kandy: Plant, tmp_path: Path) -> None:
    said = back_up(tmp_path)
    backup = newest(tmp_path)
    assert f"{backup.directory}: " in said
    assert backup.manifest["flavour"] == "plain"
    assert backup.manifest["timescaledb"] is None
    assert backup.manifest["tables"]["plants_sensor"]["rows"] == 3
    assert "telemetry.0001_readings" in backup.manifest["migrations"]
    assert any(name.startswith("accounts_user.pgtrigger_") for name in backup.manifest["triggers"])
    assert backup.damage() is None
    assert f"{backup.name}  " in back_up(tmp_path, list=True)


def test_it_is_for_its_user_alone(kandy: Plant, tmp_path: Path) -> None:
    directory = tmp_path / "backups"
    back_up(directory)
    assert {stat.S_IMODE(path.stat().st_mode) for path in [directory, *newest(directory).directory.rglob("*")]} == {
        0o700,
        0o600,
    }


def test_it_sees_one_moment_while_others_write(kandy: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written after the snapshot is neither counted nor dumped."""
    freeze = take.freeze

    def freeze_then_write(*args: Any) -> Any:
        frozen = freeze(*args)
        with psycopg.connect(**programs.address(), autocommit=True) as other:  # type: ignore[arg-type]
            other.execute("UPDATE plants_plant SET name = 'Kandy Two'")
            other.execute("INSERT INTO django_session VALUES ('after', '', now())")
        return frozen

    monkeypatch.setattr(take, "freeze", freeze_then_write)
    back_up(tmp_path)
    assert newest(tmp_path).manifest["tables"]["django_session"]["rows"] == 0
    assert "Kandy Two" not in dumped(newest(tmp_path), "plants_plant", tmp_path)
    assert "Kandy" in dumped(newest(tmp_path), "plants_plant", tmp_path)


def dumped(backup: Backup, table: str, tmp_path: Path) -> str:
    """The rows of a table as the dump has them."""
    binaries = programs.programs_for(backup.manifest["pg_dump_version"], "")
    script = tmp_path / "script.sql"
    argv = [str(binaries / "pg_restore"), "--data-only", f"--table={table}", f"--file={script}"]
    programs.run([*argv, str(backup.directory / "dump")])
    return script.read_text()


def test_it_removes_old_ones(kandy: Plant, tmp_path: Path) -> None:
    for _ in range(3):
        said = back_up(tmp_path, keep=2)
    assert len(catalogue.backups(tmp_path)) == 2
    assert "Removed inqube-" in said


@pytest.mark.parametrize("fails", ["pg_dump", "pg_restore"])
def test_it_leaves_nothing_where_it_fails(
    kandy: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    directory, binaries = tmp_path / "backups", tmp_path / "bin"
    back_up(directory)
    real = programs.programs_for(18, "")
    binaries.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (binaries / name).write_text(
            f'#!/bin/sh\ncase "$*" in --version) ;; *) [ {name} != {fails} ] || {{ echo full >&2; exit 1; }};; esac\n'
            f'exec {real / name} "$@"\n'
        )
        (binaries / name).chmod(0o755)
    with pytest.raises(CommandError, match=f"{fails} failed: full"):
        back_up(directory, keep=1, bin=str(binaries))
    assert len([path for path in directory.iterdir() if path.name != take.LOCK]) == 1


def test_it_refuses_a_second_one_at_the_same_time(tmp_path: Path) -> None:
    with take.alone(tmp_path), pytest.raises(CommandError, match="Another backup is being made"):
        back_up(tmp_path)


def test_it_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / ".inqube-20261130T120000Z.partial" / "dump").mkdir(parents=True)
    with take.alone(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [take.LOCK]


def test_it_wants_to_know_where(settings: Any) -> None:
    settings.BACKUP_DIR = ""
    with pytest.raises(CommandError, match="Set BACKUP_DIR, or name a directory"):
        call_command("backup")
