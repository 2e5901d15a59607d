"""Runs areas side by side, and gives up a check that takes too long, with those that wait for it."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from inqube.doctor.findings import Area, Finding, Line, UnavailableError, failed, skipped

LOOK_EVERY_S = 0.02
FAULT = "This is a fault of the doctor's: report it with the log."

log = structlog.get_logger("inqube.doctor")


@dataclass
class Visit:
    """One run of an area. Its thread writes, whoever waits for it reads: what comes after giving up is not read."""

    area: Area
    found: dict[str, Finding] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)  # the check at hand began
    is_done: bool = False

    def work(self) -> None:
        try:
            with self.area.open() as opened:
                for name, check in self.area.checks.items():
                    self.since = time.monotonic()
                    self.found[name] = self._ask(name, check, opened)
                self.since = time.monotonic()
        except UnavailableError as error:
            first = next(iter(self.area.checks))
            self.found.setdefault(first, error.finding)
        except Exception as error:
            self.found.setdefault(self.current, self._fault(self.current, error))
        finally:
            self.is_done = True

    def _ask(self, name: str, check: object, opened: object) -> Finding:
        try:
            return self.area.checks[name](opened)
        except UnavailableError as error:
            return error.finding
        except Exception as error:
            return self._fault(name, error)

    def _fault(self, name: str, error: Exception) -> Finding:
        log.error("a check of the doctor failed", check=name, exc_info=error)
        return failed(f"could not be looked at: {type(error).__name__}: {str(error).strip()}", FAULT)

    @property
    def current(self) -> str:
        """The check at hand, or the last."""
        return next((name for name in self.area.checks if name not in self.found), next(reversed(self.area.checks)))

    def lines(self, limit_s: float) -> list[Line]:
        """One for each check, whatever happened."""
        is_done, found = self.is_done, dict(self.found)  # in this order: what is done has found all
        missing = [name for name in self.area.checks if name not in found]
        if missing and not is_done:
            found[missing[0]] = failed(f"no answer within {limit_s:g} s", "Find out what it waits for.")
            cause = f"{missing.pop(0)} does not answer"
        else:
            cause = f"{next(iter(self.area.checks))} has to work first"
        found |= {name: skipped(cause) for name in missing}
        return [Line(name, found[name]) for name in self.area.checks]


def run(areas: Iterable[Area], limit_s: float) -> list[Line]:
    """The findings of all checks, in order; each check may take `limit_s`."""
    visits = [Visit(area) for area in areas]
    for visit in visits:
        # A daemon, for one that hangs must not keep the process from ending.
        threading.Thread(target=visit.work, name="doctor", daemon=True).start()
    return [line for visit in visits for line in _wait(visit, limit_s)]


def _wait(visit: Visit, limit_s: float) -> list[Line]:
    while not visit.is_done and time.monotonic() - visit.since < limit_s:
        time.sleep(LOOK_EVERY_S)
    return visit.lines(limit_s)
