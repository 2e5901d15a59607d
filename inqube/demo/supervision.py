"""The demo's parts under supervisor, which starts, restarts and stops them."""

import os
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from inqube import embedded
from inqube.demo import DemoError
from inqube.demo.directory import Directory, last_lines

MARK = "INQUBE_DEMO_DIRECTORY"  # in the environment of every part, so that leftovers can be recognised
STARTS_ALLOWED = 3  # a part that has been started more often while the demo starts is not going to work
STOP_TIMEOUT_S = 30


@dataclass(frozen=True)
class Program:
    """One part: how it is run, and when, by its place in the list of programs."""

    name: str
    argv: list[str]
    directory: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    autostart: bool = True
    start_s: int = 1  # ending sooner than this counts as a failed start


def escaped(text: str) -> str:
    """Text for supervisor's configuration, which expands %(name)s."""
    return text.replace("%", "%%")


def program_section(program: Program, priority: int, logs: Path) -> str:
    """A [program] of supervisor's configuration; low priorities start first and stop last."""
    lines = {
        "command": escaped(shlex.join(program.argv)),
        "directory": escaped(str(program.directory)),
        "priority": str(priority),
        "autostart": str(program.autostart).lower(),
        "autorestart": "true",
        "startsecs": str(program.start_s),
        "startretries": str(STARTS_ALLOWED),
        "stopsignal": program.stop_signal.name.removeprefix("SIG"),
        "stopwaitsecs": "15",
        "killasgroup": "true",  # PostgreSQL's and daphne's children go with them
        "redirect_stderr": "true",
        "stdout_logfile": escaped(str(logs / f"{program.name}.log")),
        "stdout_logfile_maxbytes": "5MB",
        "stdout_logfile_backups": "1",
    }
    if program.user:
        lines["user"] = program.user
    return f"[program:{program.name}]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def configuration(programs: Sequence[Program], directory: Directory, socket: Path) -> str:
    """supervisord.conf for these programs, which start in their order and stop in the reverse one."""
    root = "user=root\n" if os.geteuid() == 0 else ""  # said so, or supervisor warns
    head = f"""\
[supervisord]
nodaemon=true
logfile={escaped(str(directory.logs / "supervisor.log"))}
logfile_maxbytes=1MB
logfile_backups=1
pidfile={escaped(str(directory.supervisor / "supervisord.pid"))}
childlogdir={escaped(str(directory.logs))}
{root}
[unix_http_server]
file={escaped(str(socket))}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    sections = [program_section(p, 10 * n, directory.logs) for n, p in enumerate(programs, start=1)]
    return "\n".join([head, *sections])


class Supervisor:
    """A supervisord of our own: up after `start`, gone with all its programs after `stop`."""

    def __init__(self, directory: Directory, programs: Sequence[Program], environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.programs = programs
        self.environment = {**environment, MARK: str(directory.root)}
        self.socket = embedded.short_directory(directory.supervisor, "supervisord.sock") / "supervisord.sock"
        self.process: subprocess.Popen[bytes] | None = None
        self.pids: dict[str, list[int]] = defaultdict(list)  # each part's processes so far, oldest first

    def start(self) -> None:
        embedded.private_directory(self.socket.parent)
        config = self.directory.supervisor / "supervisord.conf"
        config.write_text(configuration(self.programs, self.directory, self.socket))
        with (self.directory.logs / "supervisor.out").open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)],
                env=self.environment,
                cwd=self.directory.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the demo, which stops the parts in order
                preexec_fn=embedded.end_with_parent(signal.SIGTERM),
            )
        deadline = time.monotonic() + 10
        while True:
            try:
                self.call("getState")
                return
            except (OSError, xmlrpc.client.Error):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    log = self.directory.logs / "supervisor.out"
                    raise DemoError(f"supervisor did not start; {log} ends with:\n{last_lines(log)}") from None
            time.sleep(0.05)

    def call(self, method: str, *arguments: object) -> Any:
        """One XML-RPC call of supervisor's own interface; a connection each, so that none is shared or stale."""
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(proxy.supervisor, method)(*arguments)
        finally:
            transport.close()

    def start_program(self, name: str) -> None:
        self.call("startProcess", name, False)

    def observe(self) -> list[str]:
        """Looks at every part; returns those that have a new process, raises DemoError for one that is given up."""
        try:
            parts = self.call("getAllProcessInfo")
        except (OSError, xmlrpc.client.Error):
            raise DemoError(f"supervisor ended: {self.directory.logs / 'supervisor.log'} may say why.") from None
        restarted = []
        for part in parts:
            name, pids = part["name"], self.pids[part["name"]]
            if part["pid"] and part["pid"] not in pids:
                pids.append(part["pid"])
                if len(pids) > 1:
                    restarted.append(name)
            if part["statename"] == "FATAL":
                raise self.failure(name)
        return restarted

    def check_starting(self) -> None:
        """Raises DemoError for a part that keeps ending, though it may live long enough to count as started."""
        self.observe()
        for name, pids in self.pids.items():
            if len(pids) > STARTS_ALLOWED:
                raise self.failure(name)

    def failure(self, name: str) -> DemoError:
        log = self.directory.logs / f"{name}.log"
        return DemoError(f"{name} keeps ending; its log {log} ends with:\n{last_lines(log)}")

    def stop(self) -> None:
        """Ends supervisord, which ends its programs in order first; by force what is left after that."""
        if self.process is not None:
            embedded.stop(self.process, signal.SIGTERM, STOP_TIMEOUT_S)
        stop_leftovers(self.directory)


def leftovers(directory: Directory) -> list[psutil.Process]:
    """Processes of a demo in this directory, other than ourselves."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == str(directory.root):
                found.append(process)
        except psutil.Error:  # gone, or another user's
            continue
    return found


def stop_leftovers(directory: Directory) -> int:
    """Ends what a demo left running that was killed; supervisord first, since it would restart the others."""
    left = leftovers(directory)
    supervisors = [process for process in left if is_supervisor(process)]
    end(supervisors, timeout_s=STOP_TIMEOUT_S)
    end(leftovers(directory), timeout_s=10)
    return len(left)


def is_supervisor(process: psutil.Process) -> bool:
    try:
        return "supervisor.supervisord" in process.cmdline()
    except psutil.Error:  # it ended meanwhile
        return False


def end(processes: Sequence[psutil.Process], timeout_s: float) -> None:
    for process in processes:
        try:
            # SIGINT is PostgreSQL's fast shutdown; with SIGTERM it would wait for its clients.
            process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
        except psutil.Error:
            continue
    _, alive = psutil.wait_procs(processes, timeout=timeout_s)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)
