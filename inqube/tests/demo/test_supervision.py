"""Parts that die are started again, and parts that can't live are named; with a real supervisord."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from inqube.demo import DemoError, supervision
from inqube.demo.directory import Directory
from inqube.demo.supervision import Program, Supervisor, leftovers, program_section, stop_leftovers

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
FAIL = [sys.executable, "-c", "raise SystemExit('no such broker')"]


@pytest.fixture
def directory() -> Iterator[Directory]:
    with tempfile.TemporaryDirectory(prefix="inqube-supervision-") as path:
        directory = Directory(Path(path))
        directory.create()
        yield directory
        stop_leftovers(directory)


def until(look: Callable[[], Any], timeout_s: float = 20) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def test_it_keeps_percent_signs_and_blanks_of_a_command() -> None:
    section = program_section(Program("web", ["a b", "100%"], Path("/")), 10, Path("/logs"))
    assert "command='a b' 100%%\n" in section


def test_it_starts_a_killed_part_again_and_ends_all(directory: Directory) -> None:
    supervisor = Supervisor(directory, [Program("part", SLEEP, directory.root)], dict(os.environ))
    supervisor.start()
    until(lambda: supervisor.observe() == [] and supervisor.pids["part"])
    os.kill(supervisor.pids["part"][0], signal.SIGKILL)
    assert until(supervisor.observe) == ["part"]
    supervisor.stop()
    assert leftovers(directory) == []
    assert not any(psutil.pid_exists(pid) for pid in supervisor.pids["part"])


def test_it_names_a_part_that_cannot_start_and_shows_its_log(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "STARTS_ALLOWED", 1)  # supervisor waits longer before each
    supervisor = Supervisor(directory, [Program("part", FAIL, directory.root)], dict(os.environ))
    supervisor.start()
    with pytest.raises(DemoError, match=r"(?s)part keeps ending; its log .*part\.log ends with:.*no such broker"):
        until(lambda: supervisor.check_starting())
    supervisor.stop()


def test_it_ends_what_a_killed_supervisor_left_running(directory: Directory) -> None:
    supervisor = Supervisor(directory, [Program("part", SLEEP, directory.root)], dict(os.environ))
    supervisor.start()
    until(lambda: supervisor.observe() == [] and supervisor.pids["part"])
    assert supervisor.process is not None
    supervisor.process.kill()
    supervisor.process.wait()
    assert [process.pid for process in leftovers(directory)] == supervisor.pids["part"]
    with pytest.raises(DemoError, match="supervisor ended"):
        supervisor.observe()
    stop_leftovers(directory)
    assert leftovers(directory) == []
