"""One real demo, from its start to Ctrl-C."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from inqube import embedded
from inqube.demo.directory import Directory
from inqube.demo.supervision import leftovers, stop_leftovers

START_S = 120  # a cold start takes a quarter of this, unless the other tests keep the machine busy
GIVEN = ("DATABASE_URL", "REDIS_URL", "MQTT_URL", "SECRET_KEY", "JWT_SIGNING_KEY", "CHANNEL_PREFIX")


class RunningDemo:
    def __init__(self, root: Path) -> None:
        self.directory = Directory(root)
        self.log = root / "said.log"
        self.argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", "--directory", str(root)]
        self.environment = {name: value for name, value in os.environ.items() if name not in GIVEN}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                self.argv,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=embedded.end_with_parent(signal.SIGTERM),
            )

    def said(self) -> str:
        return self.log.read_text()

    def part(self, word: str) -> psutil.Process | None:
        return next((p for p in leftovers(self.directory) if word in p.cmdline()), None)

    def until(self, look: Callable[[], Any], timeout_s: float) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (found := look()):
            assert self.process.poll() is None, f"the demo ended:\n{self.said()}"
            assert time.monotonic() < deadline, f"it did not happen in time; the demo said:\n{self.said()}"
            time.sleep(0.1)
        return found


@pytest.fixture
def demo() -> Iterator[RunningDemo]:
    with tempfile.TemporaryDirectory(prefix="inqube-demo-") as root:
        running = RunningDemo(Path(root))
        yield running
        embedded.stop(running.process, signal.SIGTERM, timeout_s=30)
        stop_leftovers(running.directory)


@pytest.mark.timeout(240)
def test_it_shows_a_live_factory_until_ctrl_c_whatever_dies(demo: RunningDemo) -> None:
    demo.until(lambda: "Read the latest:" in demo.said(), START_S)
    assert "A reading travelled MQTT → database → WebSocket" in demo.said()
    for private in (demo.directory.credentials, demo.directory.environment):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600

    second = subprocess.run(demo.argv, env=demo.environment, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"A demo runs in {demo.directory.root} already" in second.stderr

    killed = demo.until(lambda: demo.part("ingest"), 5)
    killed.kill()
    demo.until(lambda: (again := demo.part("ingest")) and again.pid != killed.pid, 30)
    demo.until(lambda: "ingest had ended and was started again" in demo.said(), 10)

    os.kill(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(40) == 0
    assert leftovers(demo.directory) == []
