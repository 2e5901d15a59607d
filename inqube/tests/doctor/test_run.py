"""Areas run side by side, and what hangs or breaks in one takes no other's line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inqube.doctor.findings import Area, Finding, Line, Status, UnavailableError, failed, ok
from inqube.doctor.run import run
from inqube.tests.doctor.conftest import LIMIT_S, ask

FINE = ok("fine")


def fine(_: object) -> Finding:
    return FINE


def broken(_: object) -> Finding:
    raise ZeroDivisionError("in the middle")


@pytest.fixture
def hanging() -> Iterator[Area]:
    """An area whose second check waits for the end of the test."""
    end = threading.Event()

    def hang(_: object) -> Finding:
        end.wait()
        return FINE

    yield Area({"first": fine, "hangs": hang, "after": fine})
    end.set()


def test_it_gives_up_what_hangs_and_keeps_every_other_line(hanging: Area) -> None:
    lines = run([hanging, Area({"other": fine})], 0.2)
    assert [line.name for line in lines] == ["first", "hangs", "after", "other"]
    assert [line.finding.status for line in lines] == [Status.OK, Status.FAILED, Status.SKIPPED, Status.OK]
    assert lines[1].finding.detail == "no answer within 0.2 s"
    assert lines[2].finding.detail == "hangs does not answer"


def test_it_gives_up_what_cannot_be_opened_in_time(hanging: Area) -> None:
    @contextmanager
    def opened() -> Iterator[None]:
        hanging.checks["hangs"](None)
        yield

    found = ask(Area({"server": fine, "clock": fine}, opened), 0.2)
    assert [finding.status for finding in found.values()] == [Status.FAILED, Status.SKIPPED]


def test_it_runs_areas_at_the_same_time() -> None:
    both = threading.Barrier(2)

    def meet(_: object) -> Finding:
        both.wait(LIMIT_S)
        return FINE

    assert run([Area({"one": meet}), Area({"two": meet})], LIMIT_S) == [Line("one", FINE), Line("two", FINE)]


def test_it_says_that_a_check_is_at_fault_and_goes_on() -> None:
    found = ask(Area({"broken": broken, "after": fine}))
    assert found["broken"].status == Status.FAILED
    assert "ZeroDivisionError: in the middle" in found["broken"].detail
    assert found["after"] == FINE


def test_it_skips_what_needs_something_that_is_not_there() -> None:
    @contextmanager
    def opened() -> Iterator[None]:
        raise UnavailableError(failed("refused", "Start it."))
        yield

    found = ask(Area({"server": fine, "clock": fine}, opened))
    assert found["server"] == failed("refused", "Start it.")
    assert found["clock"] == Finding(Status.SKIPPED, "server has to work first")
