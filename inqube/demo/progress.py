"""Numbered steps with their times on a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class Progress:
    """One line for each step when it is done; a step that fails leaves none."""

    def __init__(self, console: Console, total: int) -> None:
        self.console = console
        self.total = total
        self.number = 0
        self.began = time.monotonic()

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        self.number += 1
        label = escape(f"[{self.number}/{self.total}]")
        started = time.monotonic()
        with self.console.status(f"{label} {text} …"):
            yield
        self.console.print(f"{label} {text:<54} {time.monotonic() - started:5.1f} s", highlight=False)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.began
