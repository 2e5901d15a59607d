"""What a backup says of itself: whence, of when, what is in it, and whether it was tried."""

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from inqube.backup import BackupError
from inqube.backup.contents import Held

FORMAT = 1  # of the manifest and of what its checksums mean
FILE, DUMP = "manifest.json", "dump"


class File(TypedDict):
    bytes: int
    sha256: str


class Verification(TypedDict):
    at: str
    differences: list[str]  # none: what was restored is what was saved


class Manifest(TypedDict):
    format: int
    inqube: str  # the release that made it
    taken_at: str  # ISO 8601: the moment that it shows
    took_s: float
    server_version: str
    pg_dump_version: int
    flavour: str  # plain or timescale
    timescaledb: str | None  # the extension's version
    migrations: list[str]  # app.name
    tables: dict[str, Held]
    triggers: list[str]
    files: dict[str, File]  # by their path below the backup
    verification: NotRequired[Verification]


def read(directory: Path) -> Manifest:
    try:
        found: Any = json.loads((directory / FILE).read_text())
    except FileNotFoundError:
        raise BackupError(f"{directory} is no backup: it has no {FILE}.") from None
    except (OSError, ValueError) as error:
        raise BackupError(f"{directory / FILE} can't be read: {error}.") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BackupError(f"{directory} was made by another release of InQube, which this one can't read.")
    manifest: Manifest = found  # type: ignore[assignment]
    return manifest


def write(directory: Path, manifest: Manifest) -> None:
    """At once or not at all, and on disk."""
    beside = directory / f".{FILE}"
    beside.touch(mode=0o600)
    with beside.open("w") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(directory / FILE)
    sync(directory)


def sync(directory: Path) -> None:
    """Makes the names in it last."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def files(directory: Path) -> dict[str, File]:
    """What the dump consists of."""
    paths = sorted(path for path in (directory / DUMP).rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): _file(path) for path in paths}


def _file(path: Path) -> File:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def taken_at(manifest: Manifest) -> datetime:
    return datetime.fromisoformat(manifest["taken_at"])
