"""What the doctor says, for people and for programs; also where the settings cannot even be read."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from inqube import __version__
from inqube.doctor.findings import Line, Status, failed

# As plugins of Nagios and its heirs tell monitoring how it is; 3 (unknown) is not among them.
CODES = {Status.OK: 0, Status.SKIPPED: 0, Status.WARNING: 1, Status.FAILED: 2}
SPACES = str.maketrans({"\u202f": " ", "\u00a0": " "})


def code_of(lines: Sequence[Line]) -> int:
    return max((CODES[line.finding.status] for line in lines), default=0)


def worst(lines: Sequence[Line]) -> Status:
    """Of the whole: skipped checks are no fault."""
    return next((status for status, code in reversed(CODES.items()) if code and code == code_of(lines)), Status.OK)


def summary(lines: Sequence[Line]) -> str:
    """`InQube: 1 failed, 2 warning, 20 ok, 3 skipped`, which monitoring shows."""
    counts = Counter(line.finding.status for line in lines)
    order = (Status.FAILED, Status.WARNING, Status.OK, Status.SKIPPED)
    return "InQube: " + ", ".join(f"{counts[status]} {status}" for status in order if counts[status])


def as_text(lines: Sequence[Line]) -> list[tuple[Status, str]]:
    """A line each, with its status for colours."""
    width = max((len(line.name) for line in lines), default=0)
    return [(line.finding.status, f"{line.finding.status:8}{line.name:{width}}  {_words(line)}") for line in lines]


def _words(line: Line) -> str:
    remedy = f". → {line.finding.remedy}" if line.finding.remedy else ""
    return f"{line.finding.detail.rstrip('.')}{remedy}".translate(SPACES)


def as_json(lines: Sequence[Line], at: datetime) -> str:
    checks = [
        {
            "name": line.name,
            "status": str(line.finding.status),
            "detail": line.finding.detail.translate(SPACES),
            "remedy": line.finding.remedy.translate(SPACES),
        }
        for line in lines
    ]
    about = {"status": str(worst(lines)), "at": at.isoformat(timespec="seconds"), "version": __version__}
    return json.dumps(about | {"checks": checks}, indent=2, ensure_ascii=False)


def of_broken_settings(words: str, argv: Sequence[str]) -> int:
    """Says why there are no settings, with which all else is unknown; gives the exit code."""
    lines = [Line("settings", failed(" ".join(words.split()), "Mend the environment; .env.example says what each is."))]
    if "--json" in argv:
        sys.stdout.write(as_json(lines, datetime.now(UTC)) + "\n")
    else:
        sys.stdout.write("\n".join([summary(lines), *(text for _, text in as_text(lines))]) + "\n")
    return code_of(lines)
