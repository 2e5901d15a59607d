"""The backups that there are, and which of them may go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from inqube.backup import BackupError, manifest
from inqube.backup.manifest import Manifest

NAMES = "inqube-*Z*"


@dataclass(frozen=True)
class Backup:
    """One that is complete: its manifest is there, and its files have the sizes that it says."""

    directory: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def taken_at(self) -> datetime:
        return manifest.taken_at(self.manifest)

    @property
    def bytes(self) -> int:
        return sum(file["bytes"] for file in self.manifest["files"].values())

    @property
    def verified_at(self) -> datetime | None:
        """When it was last restored into a scratch database and was the same; None where it was not yet."""
        verification = self.manifest.get("verification")
        return datetime.fromisoformat(verification["at"]) if verification and not verification["differences"] else None

    @property
    def has_failed(self) -> bool:
        """Whether it was restored into a scratch database and was not the same."""
        return bool(self.manifest.get("verification", {}).get("differences"))

    def damage(self) -> str | None:
        """What has become of its files since they were written, in a sentence; reads all of them."""
        found = manifest.files(self.directory)
        for path, file in self.manifest["files"].items():
            if found.get(path) != file:
                return f"{self.directory / path} is {'not what was written' if path in found else 'missing'}."
        return None


def backups(directory: Path) -> list[Backup]:
    """The complete ones, the newest first."""
    found = [backup for path in directory.glob(NAMES) if (backup := _complete(path))]
    return sorted(found, key=lambda backup: (backup.taken_at, backup.name), reverse=True)


def newest(directory: Path) -> Backup | None:
    return next(iter(backups(directory)), None)


def find(directory: Path | None, name: str) -> Backup:
    """The backup of this name or path; `latest` is the newest."""
    if name == "latest" and directory is not None:
        if backup := newest(directory):
            return backup
        raise BackupError(f"There is no complete backup in {directory}.")
    path = Path(name) if directory is None or "/" in name else directory / name
    return Backup(path, manifest.read(path))


def _complete(path: Path) -> Backup | None:
    try:
        backup = Backup(path, manifest.read(path))
        sizes = {name: (path / name).stat().st_size for name in backup.manifest["files"]}
    except (BackupError, OSError):
        return None
    return backup if all(file["bytes"] == sizes[name] for name, file in backup.manifest["files"].items()) else None


def expired(there: Sequence[Backup], moment: datetime, keep: int | None, keep_days: float | None) -> list[Backup]:
    """Those that neither rule keeps. The last good one stays, and the last one that was tried.

    Args:
        there: complete ones, the newest first.
        keep: how many of the newest stay; None where only days count.
        keep_days: how old those that stay may be; None where only the number counts. With neither, all stay.
    """
    if keep is None and keep_days is None:
        return []
    good = [backup for backup in there if not backup.has_failed]
    stay = {backup.name for backup in good[: max(keep or 0, 1)]}
    stay |= {backup.name for backup in [backup for backup in good if backup.verified_at][:1]}
    if keep_days is not None:
        stay |= {backup.name for backup in there if moment - backup.taken_at <= timedelta(days=keep_days)}
    return [backup for backup in there if backup.name not in stay] if good else []
