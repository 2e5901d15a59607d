"""How far a file has been imported, in a small file beside it: written after each commit, gone at the end."""

import json
import os
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

from telemetry.imports.files import ReadingsFile


@dataclass(slots=True)
class Counts:
    """What came of the lines: stored + duplicate + conflict + rejected is their number.

    `examples` has of each reason the first line: (its number, what it says, why not).
    """

    lines: int = 0
    stored: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Place:
    """Behind the last record that is done, and what came of those up to there."""

    offset: int = 0
    line: int = 1
    rejects_bytes: int = 0
    counts: Counts = field(default_factory=Counts)


class State:
    """Of one file and one database: another file of this name, or another database, begins anew."""

    def __init__(self, file: ReadingsFile, database: str) -> None:
        self.path = file.path.with_name(f"{file.path.name}.import")
        self._of = {"size": file.size, "digest": file.digest, "database": database}

    def load(self) -> Place | None:
        try:
            found = json.loads(self.path.read_text())
            if found.pop("of") != self._of:
                return None
            counts = found.pop("counts")
            rejected = Counter(counts.pop("rejected"))
            return Place(**found, counts=Counts(**counts, rejected=rejected))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None  # not ours, or of another version: from the beginning is right too, only slower

    def save(self, place: Place) -> None:
        """Never leaves half a state: the next run finds this one or the one before."""
        written = self.path.with_name(f"{self.path.name}.new")
        with written.open("w") as file:
            json.dump({"of": self._of, **_as_dict(place), "counts": _as_dict(place.counts)}, file)
            file.flush()
            os.fsync(file.fileno())
        written.replace(self.path)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def _as_dict(record: Counts | Place) -> dict[str, Any]:
    """As asdict(), which makes nonsense of a Counter."""
    return {each.name: getattr(record, each.name) for each in fields(record)}
