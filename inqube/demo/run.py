"""The demo's steps in their order: servers, database, factory, processes, proof."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import httpx
from django.conf import settings
from rich.console import Console

from inqube import embedded
from inqube.demo import DemoError, summary
from inqube.demo.directory import Directory, last_lines
from inqube.demo.environment import (
    choose_ports,
    demo_environment,
    ensure_credentials,
    external_servers,
    read_environment,
    write_environment,
)
from inqube.demo.parts import embedded_servers, own_programs, server_programs
from inqube.demo.prepare import STEP
from inqube.demo.progress import Progress
from inqube.demo.supervision import Supervisor, stop_leftovers
from inqube.demo.travel import Travelled, reading_travelled

PLANT = "kandy"  # the plant whose live feed is watched for the first reading
HISTORY_HOURS = 24
SERVERS_TIMEOUT_S = 60  # PostgreSQL may have to recover from a crash
PROCESSES_TIMEOUT_S = 60
LOOK_S = 0.5  # between two looks at the parts
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    directory: Path
    port: int | None
    reset: bool
    simulator: bool


def run(options: Options, console: Console) -> None:
    """Runs the demo until Ctrl-C, SIGTERM or SIGHUP; raises DemoError when a part can't go on."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its line per request is no news here
    directory = Directory(options.directory)
    directory.create()
    with directory.locked():
        if stop_leftovers(directory):
            console.print("Stopped what an earlier demo had left running.")
        if options.reset:
            directory.reset()
            directory.create()
        demo = Demo(directory, options, console)
        on_stop_signals(interrupt)
        try:
            demo.start()
            demo.watch()
        except KeyboardInterrupt:
            console.print("Stopping …")
        finally:
            on_stop_signals(signal.SIG_IGN)  # impatience must not leave a part running
            demo.supervisor.stop()
        console.print("Stopped. Data and credentials are kept; the next start takes seconds.")


def on_stop_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in STOPPING:
        signal.signal(number, handler)


def interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class Demo:
    """One run: what it is made of, and the supervisor that holds it."""

    def __init__(self, directory: Directory, options: Options, console: Console) -> None:
        self.directory = directory
        self.simulator = options.simulator
        self.console = console
        kept = read_environment(directory.environment)
        external = external_servers(os.environ, kept)
        self.ports = choose_ports(options.port)
        self.servers = embedded_servers(directory, self.ports, external)
        urls = {variable: server.url for variable, server in self.servers.items()} | external
        self.environment = demo_environment(directory, urls, kept)
        self.credentials = ensure_credentials(directory.credentials)
        self.own = own_programs(self.ports, simulator=options.simulator)
        self.supervisor = Supervisor(
            directory,
            [*server_programs(self.servers, directory), *self.own],
            {**os.environ, **self.environment, "PYTHONUNBUFFERED": "1"},
        )

    def start(self) -> None:
        write_environment(self.directory.environment, self.environment)
        progress = Progress(self.console, total=7 if self.simulator else 6)
        with progress.step("PostgreSQL, Valkey and MQTT broker started"):
            self.start_servers()
        self.prepare(progress)
        with progress.step(f"{', '.join(program.name for program in self.own)} started"):
            for program in self.own:
                self.supervisor.start_program(program.name)
            self.wait(self.web_answers, PROCESSES_TIMEOUT_S, "The web server")
        travelled = None
        if self.simulator:
            with progress.step("A reading travelled MQTT → database → WebSocket"):
                travelled = asyncio.run(self.first_reading())
        self.say_summary(travelled, progress.elapsed_s)

    def start_servers(self) -> None:
        if "DATABASE_URL" in self.servers:
            embedded.initialise_postgres(self.directory.postgres)
        self.supervisor.start()
        self.wait(lambda: all(server.is_ready() for server in self.servers.values()), SERVERS_TIMEOUT_S, "A server")
        if "DATABASE_URL" in self.servers:
            embedded.create_database(self.servers["DATABASE_URL"])

    def prepare(self, progress: Progress) -> None:
        """Runs `inqube.demo.prepare`, whose `@step` lines become steps of ours."""
        log = self.directory.logs / "prepare.log"
        argv = [sys.executable, "-m", "inqube.demo.prepare"]
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [*argv, str(self.directory.credentials), str(HISTORY_HOURS)],
                env=self.supervisor.environment,
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
                preexec_fn=embedded.end_with_parent(signal.SIGKILL),
            ) as child,
        ):
            assert child.stdout is not None
            try:
                announced = steps(child.stdout, output)
                text = next(announced, None)
                while text is not None:
                    with progress.step(text):
                        text = next(announced, None)
                        if text is None and child.wait():
                            raise DemoError(f"That failed; {log} ends with:\n{last_lines(log)}")
                if child.wait():
                    raise DemoError(f"Django does not start; {log} ends with:\n{last_lines(log)}")
            finally:
                embedded.stop(child, signal.SIGTERM)

    def web_answers(self) -> bool:
        try:
            httpx.get(f"http://{embedded.LOOPBACK}:{self.ports.web}/livez", timeout=5, trust_env=False)
        except httpx.TransportError:
            return False
        return True

    async def first_reading(self) -> Travelled:
        """Waits for the reading that proves the path, and looks at the parts meanwhile."""
        arrival = asyncio.create_task(reading_travelled(self.ports.web, self.credentials["admin"], PLANT))
        deadline = time.monotonic() + PROCESSES_TIMEOUT_S
        while not (await asyncio.wait({arrival}, timeout=LOOK_S))[0]:
            self.supervisor.check_starting()
            if time.monotonic() > deadline:
                arrival.cancel()
                raise DemoError(
                    f"No reading arrived at the page within {PROCESSES_TIMEOUT_S} s; "
                    f"{self.directory.logs} has a log of each part."
                )
        return arrival.result()

    def wait(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.supervisor.check_starting()
            if time.monotonic() > deadline:
                raise DemoError(f"{what} did not answer within {timeout_s:.0f} s: see {self.directory.logs}.")
            time.sleep(0.05)

    def say_summary(self, travelled: Travelled | None, elapsed_s: float) -> None:
        self.console.print()
        self.console.print(f"InQube is up after {elapsed_s:.1f} s. Ctrl-C stops everything.", style="bold")
        site = f"http://{embedded.LOOPBACK}:{self.ports.web}"
        broker = self.environment["MQTT_URL"]
        is_open = "MQTT_URL" in self.servers
        if is_open:  # ingest's listener speaks MQTT 5 only; people's tools mostly 3.1.1
            broker = f"mqtt://{embedded.LOOPBACK}:{self.ports.mqtt}"
        summary.show(self.console, self.directory, site, broker, self.credentials, travelled, is_open=is_open)

    def watch(self) -> None:
        """Says what supervisor restarts, until interrupted."""
        while True:
            for name in self.supervisor.observe():
                self.console.print(f"{name} had ended and was started again: see {name}.log.")
            time.sleep(LOOK_S)


def steps(lines: IO[bytes], log: IO[bytes]) -> Iterator[str]:
    """The steps that the child announces; all else that it says goes to the log."""
    for line in lines:
        if line.startswith(STEP.encode()):
            yield line.decode().removeprefix(STEP).strip()
        else:
            log.write(line)
            log.flush()
