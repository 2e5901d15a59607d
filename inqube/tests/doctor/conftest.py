"""How tests put questions to the doctor, and servers that take connections and say nothing."""

import socket
from collections.abc import Callable, Iterator

import pytest

from inqube.doctor.findings import Area, Finding
from inqube.doctor.run import run

LIMIT_S = 30.0  # so that no busy machine fails a check


def ask(area: Area, limit_s: float = LIMIT_S) -> dict[str, Finding]:
    return {line.name: line.finding for line in run([area], limit_s)}


@pytest.fixture
def silent_port() -> Iterator[Callable[[], int]]:
    """Gives ports where connections are accepted, by the kernel, and nobody answers."""
    listeners: list[socket.socket] = []

    def listen() -> int:
        listeners.append(socket.create_server(("127.0.0.1", 0)))
        return int(listeners[-1].getsockname()[1])

    yield listen
    for listener in listeners:
        listener.close()
