"""How old the newest backup is, and whether it was ever restored on trial."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils.timezone import now

from inqube.backup.catalogue import Backup, backups
from inqube.doctor.findings import Area, Finding, failed, ok, skipped, warning
from telemetry.formats import format_age

LATE = timedelta(hours=26)  # one a night, and what a night may be late
MISSED = timedelta(days=3)
TRY_EVERY = timedelta(days=45)
BACK_UP = "python manage.py backup, and see that its timer runs."
TRY = "python manage.py restore --help says how to restore one on trial."


def judge(there: Sequence[Backup], moment: datetime) -> Finding:
    """Of complete backups, the newest first. Pure."""
    newest = there[0]
    age = moment - newest.taken_at
    detail = f"the newest, {newest.name}, is of {_words(age)} ago"
    if newest.has_failed:
        return failed(f"{newest.name} was restored on trial and was not what was saved", BACK_UP)
    if age > MISSED:
        return failed(detail, BACK_UP)
    if age > LATE:
        return warning(detail, BACK_UP)
    tried = max((backup.verified_at for backup in there if backup.verified_at), default=None)
    if tried is None:
        return warning(f"{detail}, and none was ever restored on trial", TRY)
    if moment - tried > TRY_EVERY:
        return warning(f"{detail}, and the last one restored on trial was so {_words(moment - tried)} ago", TRY)
    return ok(f"{detail}; one was restored on trial {_words(moment - tried)} ago")


def backup(_: None) -> Finding:
    if not settings.BACKUP_DIR:
        remedy = "Set BACKUP_DIR, if backups are made by manage.py backup; else watch those that you make."
        return skipped("BACKUP_DIR is not set", remedy)
    directory = Path(settings.BACKUP_DIR)
    if not directory.is_dir():
        return failed(f"{directory} is not there", "Mount it, or mend BACKUP_DIR.")
    there = backups(directory)
    return judge(there, now()) if there else failed(f"there is none in {directory}", BACK_UP)


def _words(age: timedelta) -> str:
    return format_age(age / timedelta(seconds=1))


AREA = Area({"backup": backup})
