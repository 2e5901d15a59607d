from collections.abc import AsyncIterator

import pytest

from accounts.models import User
from inqube.asgi import application
from telemetry.live import frames
from telemetry.tests.live.sockets import PATH, Open, Socket, token_of


@pytest.fixture
async def connect() -> AsyncIterator[Open]:
    """`await connect(bearer=…, **headers)`: an open socket of the real application, closed after the test."""
    sockets: list[Socket] = []

    async def open_socket(*, bearer: User | str | None = None, **headers: str) -> Socket:
        subprotocols = [frames.SUBPROTOCOL]
        if bearer is not None:
            token = await token_of(bearer) if isinstance(bearer, User) else bearer
            subprotocols.append(f"inqube.bearer.{token}")
        sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        socket = Socket(application, PATH, headers=[(b"host", b"testserver"), *sent], subprotocols=subprotocols)
        connected, subprotocol = await socket.connect()
        assert (connected, subprotocol) == (True, frames.SUBPROTOCOL)
        sockets.append(socket)
        return socket

    yield open_socket
    for socket in sockets:
        await socket.disconnect()
