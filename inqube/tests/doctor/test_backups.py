"""What is said of the newest backup by its age and by whether it was tried."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from inqube.backup.catalogue import Backup
from inqube.backup.manifest import Manifest
from inqube.doctor import backups
from inqube.doctor.findings import Status
from inqube.tests.doctor.conftest import ask

MOMENT = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def taken(hours_ago: float, tried_hours_ago: float | None = None, differences: list[str] | None = None) -> Backup:
    told: dict[str, Any] = {"taken_at": (MOMENT - hours_ago * HOUR).isoformat()}
    if tried_hours_ago is not None:
        at = MOMENT - tried_hours_ago * HOUR
        told["verification"] = {"at": at.isoformat(), "differences": differences or []}
    return Backup(Path("inqube-x"), cast(Manifest, told))


@pytest.mark.parametrize(
    ("there", "status"),
    [
        ([taken(8, 7)], Status.OK),
        ([taken(8), taken(32, 31)], Status.OK),
        ([taken(8)], Status.WARNING),
        ([taken(8), taken(60 * 24, 59 * 24)], Status.WARNING),
        ([taken(30, 29)], Status.WARNING),
        ([taken(80, 79)], Status.FAILED),
        ([taken(8, 7, ["reading differs"]), taken(32, 31)], Status.FAILED),
    ],
    ids=["fresh and tried", "an older one tried", "never tried", "tried long ago", "late", "missed", "no good"],
)
def test_it_judges_the_newest(there: list[Backup], status: Status) -> None:
    assert backups.judge(there, MOMENT).status == status


def test_it_says_that_there_is_none(tmp_path: Path, settings: Any) -> None:
    settings.BACKUP_DIR = ""
    assert ask(backups.AREA)["backup"].status == Status.SKIPPED
    settings.BACKUP_DIR = str(tmp_path)
    assert ask(backups.AREA)["backup"].detail == f"there is none in {tmp_path}"
    settings.BACKUP_DIR = str(tmp_path / "unmounted")
    assert ask(backups.AREA)["backup"].detail.endswith("is not there")
