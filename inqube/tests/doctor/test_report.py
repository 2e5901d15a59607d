"""What people and monitoring are told."""

import json
from datetime import UTC, datetime

import pytest

from inqube.doctor.findings import Finding, Line, failed, ok, skipped, warning
from inqube.doctor.report import as_json, as_text, code_of, summary, worst

OK, SKIPPED, WARNING, FAILED = ok("so it is"), skipped("no"), warning("so", "Do."), failed("bad\u202fly.", "Do that.")


@pytest.mark.parametrize(
    ("findings", "code", "status"),
    [
        ([], 0, "ok"),
        ([OK, SKIPPED], 0, "ok"),
        ([OK, WARNING, SKIPPED], 1, "warning"),
        ([WARNING, FAILED, OK], 2, "failed"),
    ],
)
def test_it_answers_monitoring_as_its_plugins_do(findings: list[Finding], code: int, status: str) -> None:
    lines = [Line("a", finding) for finding in findings]
    assert (code_of(lines), worst(lines)) == (code, status)


def test_it_sums_up_the_worst_first() -> None:
    lines = [Line("a", finding) for finding in (OK, FAILED, OK, WARNING, SKIPPED)]
    assert summary(lines) == "InQube: 1 failed, 1 warning, 2 ok, 1 skipped"


def test_it_writes_a_line_each_with_what_to_do() -> None:
    lines = as_text([Line("short", OK), Line("much-longer", FAILED)])
    assert [text for _, text in lines] == [
        "ok      short        so it is",
        "failed  much-longer  bad ly. → Do that.",
    ]


def test_it_gives_programs_the_same_in_the_form_that_help_promises() -> None:
    at = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
    told = json.loads(as_json([Line("disk", FAILED)], at))
    assert told.keys() == {"status", "at", "version", "checks"}
    assert (told["status"], told["at"]) == ("failed", "2026-11-30T10:00:00+00:00")
    assert told["checks"] == [{"name": "disk", "status": "failed", "detail": "bad ly.", "remedy": "Do that."}]
