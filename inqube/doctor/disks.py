"""Space on the disks that can be seen from here."""

import os
import shutil
from pathlib import Path

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from inqube.doctor.findings import Area, Finding, failed, ok, warning

NEARLY_FULL = 0.85
FULL = 0.95
REMEDY = "Make room, or give it a larger disk."


def judge(place: str, used: int, size: int) -> Finding:
    """Pure."""
    share = used / size
    detail = f"{filesizeformat(size - used)} of {filesizeformat(size)} are free {place}"
    if share >= FULL:
        return failed(detail, REMEDY)
    return warning(detail, REMEDY) if share >= NEARLY_FULL else ok(detail)


def here(_: None) -> Finding:
    """The fullest of the disks with the program, its static and temporary files, and backups."""
    paths = [settings.BASE_DIR, Path(os.environ.get("TMPDIR") or "/tmp")]
    if settings.STATIC_ROOT:
        paths.append(Path(settings.STATIC_ROOT))
    if settings.BACKUP_DIR:
        paths.append(Path(settings.BACKUP_DIR))
    usages = [(shutil.disk_usage(path), path) for path in paths if path.exists()]
    usage, path = max(usages, key=lambda each: each[0].used / each[0].total)
    return judge(f"at {path}", usage.total - usage.free, usage.total)


AREA = Area({"disk": here})
