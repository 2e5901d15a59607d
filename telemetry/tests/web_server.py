"""A real web server for tests: daphne, in a process of its own."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from inqube import embedded

START_WITHIN_S = 60.0  # beside other servers on two processors


class WebServer:
    """`daphne` as a child process that a test may stop and start again on the same port."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.log = log
        self.port = embedded.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def start(self) -> None:
        argv = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), "inqube.asgi:application"]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                argv,
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=embedded.end_with_parent(signal.SIGKILL),
            )
        deadline = time.monotonic() + START_WITHIN_S
        while not embedded.accepts_connections(self.port):
            assert self.is_running, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        embedded.stop(self.process, signal.SIGKILL)

    def end(self, within_s: float = 10) -> int:
        """As an operator ends it; gives the exit code."""
        self.process.terminate()
        return self.process.wait(within_s)
