"""The demo's directory: all that it keeps, and the lock that lets one demo at a time use it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inqube.demo import DemoError


class Directory:
    """Paths below `.inqube/`, or below what --directory names."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.lock = self.root / "lock"
        self.environment = self.root / "demo.env"
        self.credentials = self.root / "credentials"
        self.logs = self.root / "logs"
        self.postgres = self.root / "postgres"
        self.static = self.root / "static"
        self.supervisor = self.root / "supervisor"

    def create(self) -> None:
        try:
            for path in (self.root, self.logs, self.supervisor):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DemoError(f"{self.root} can't be used: {error.strerror}.") from None

    def reset(self) -> None:
        """Removes what the demo keeps, and nothing else that may lie in the directory."""
        for path in (self.postgres, self.static, self.supervisor, self.logs):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.environment, self.credentials):
            path.unlink(missing_ok=True)
        if self.postgres.exists():
            raise DemoError(f"{self.postgres} can't be removed: was it made by another user?")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the directory; a lock of the kernel, so that it ends with the process however that ends."""
        try:
            lock = self.lock.open("a+")
        except PermissionError:
            raise DemoError(f"{self.root} belongs to another user: use --directory for one of yours.") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                pid = lock.read().strip()
                raise DemoError(
                    f"A demo runs in {self.root} already: stop it with Ctrl-C in its terminal, or `kill {pid}`."
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def write_private(path: Path, text: str) -> None:
    """Writes a file that only we may read, also while it is being written."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return "(the log is empty)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) or "(the log is empty)"
