"""What a check finds: a status as monitoring knows it, what is, and what to do about it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class Status(StrEnum):
    OK = "ok"
    SKIPPED = "skipped"  # nothing to ask, or something else has to work first
    WARNING = "warning"
    FAILED = "failed"


class Finding(NamedTuple):
    status: Status
    detail: str
    remedy: str = ""


class Line(NamedTuple):
    """A finding of a named check."""

    name: str
    finding: Finding


class UnavailableError(Exception):
    """What an area's checks would ask cannot be asked: the finding becomes that of its first check."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.detail)
        self.finding = finding


Check = Callable[[Any], Finding]  # of what the area has opened


@contextmanager
def nothing() -> Iterator[None]:
    """For areas that share nothing."""
    yield None


@dataclass(frozen=True)
class Area:
    """Checks by name, in order, which run one after the other on what `open` gives."""

    checks: dict[str, Check]
    open: Callable[[], AbstractContextManager[Any]] = nothing


def ok(detail: str) -> Finding:
    return Finding(Status.OK, detail)


def skipped(detail: str, remedy: str = "") -> Finding:
    return Finding(Status.SKIPPED, detail, remedy)


def warning(detail: str, remedy: str) -> Finding:
    return Finding(Status.WARNING, detail, remedy)


def failed(detail: str, remedy: str) -> Finding:
    return Finding(Status.FAILED, detail, remedy)
