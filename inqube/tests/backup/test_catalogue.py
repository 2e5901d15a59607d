"""Which backups there are, and which of them rotation removes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inqube.backup import BackupError, manifest
from inqube.backup.catalogue import Backup, backups, expired, find, newest
from inqube.backup.manifest import Manifest, Verification

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
GOOD: Verification = {"at": NOW.isoformat(), "differences": []}
BAD: Verification = {"at": NOW.isoformat(), "differences": ["reading is missing."]}


def about(days_ago: float, verification: Verification | None = None) -> Manifest:
    made: Manifest = {
        "format": manifest.FORMAT,
        "inqube": "0.1.0",
        "taken_at": (NOW - timedelta(days=days_ago)).isoformat(),
        "took_s": 1.0,
        "server_version": "18.6",
        "pg_dump_version": 18,
        "flavour": "plain",
        "timescaledb": None,
        "migrations": [],
        "tables": {},
        "triggers": [],
        "files": {},
    }
    if verification:
        made["verification"] = verification
    return made


def of_age(days_ago: float, verification: Verification | None = None) -> Backup:
    return Backup(Path(f"/backups/{days_ago}"), about(days_ago, verification))


def lay(directory: Path, days_ago: float, dump: bytes = b"dump") -> Path:
    """A backup on disk."""
    taken_at = NOW - timedelta(days=days_ago)
    path = directory / f"inqube-{taken_at:%Y%m%dT%H%M%SZ}"
    (path / "dump").mkdir(parents=True)
    (path / "dump" / "toc.dat").write_bytes(dump)
    made = about(days_ago)
    made["files"] = manifest.files(path)
    manifest.write(path, made)
    return path


WEEK = [of_age(days) for days in range(7)]


@pytest.mark.parametrize(
    ("there", "keep", "keep_days", "gone"),
    [
        (WEEK, None, None, []),
        (WEEK, 3, None, ["3", "4", "5", "6"]),
        (WEEK, None, 2, ["3", "4", "5", "6"]),
        (WEEK, 5, 2, ["5", "6"]),
        (WEEK, 2, 4, ["5", "6"]),
        ([of_age(40), of_age(50)], None, 30, ["50"]),
        ([of_age(0, BAD), of_age(40), of_age(50)], 1, None, ["0", "50"]),
        ([of_age(0, BAD), of_age(40, BAD)], 1, 1, []),
        ([of_age(0), of_age(1), of_age(2, GOOD), of_age(3, GOOD)], 1, None, ["1", "3"]),
    ],
    ids=["all", "number", "days", "number of both", "days of both", "last", "good", "none good", "verified"],
)
def test_it_removes_what_no_rule_keeps(
    there: list[Backup], keep: int | None, keep_days: int | None, gone: list[str]
) -> None:
    assert [backup.name for backup in expired(there, NOW, keep, keep_days)] == gone


def test_it_lists_complete_ones_with_the_newest_first(tmp_path: Path) -> None:
    for days_ago in (2, 0, 1):
        lay(tmp_path, days_ago)
    (lay(tmp_path, 3) / "manifest.json").unlink()
    (lay(tmp_path, 4) / "dump" / "toc.dat").write_bytes(b"du")
    (lay(tmp_path, 5) / "manifest.json").write_text("{}")
    lay(tmp_path, 6).rename(tmp_path / ".inqube-20261124T120000Z.partial")
    assert [backup.taken_at for backup in backups(tmp_path)] == [NOW - timedelta(days=days) for days in (0, 1, 2)]
    assert find(tmp_path, "latest") == newest(tmp_path) == find(None, str(tmp_path / "inqube-20261130T120000Z"))


def test_it_says_what_was_not_found(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    assert newest(tmp_path / "missing") is None
    with pytest.raises(BackupError, match="no complete backup"):
        find(tmp_path, "latest")
    with pytest.raises(BackupError, match=r"it has no manifest\.json"):
        find(tmp_path, "inqube-20261130T120000Z")


def test_it_finds_a_file_that_has_changed_since(tmp_path: Path) -> None:
    backup = find(None, str(lay(tmp_path, 0)))
    assert backup.damage() is None
    (backup.directory / "dump" / "toc.dat").write_bytes(b"dumb")
    assert backup.damage() == f"{backup.directory}/dump/toc.dat is not what was written."
    (backup.directory / "dump" / "toc.dat").unlink()
    assert backup.damage() == f"{backup.directory}/dump/toc.dat is missing."
