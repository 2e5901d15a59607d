"""The small HTTP server: what it answers, and that no client gets in the way of the others or of the process."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from inqube import embedded
from telemetry.probes import server as server_module
from telemetry.probes.port import told
from telemetry.probes.server import Answer, Request, Server


async def echo(request: Request) -> Answer:
    return told(200, {"path": request.path, "peer": request.peer, "agent": request.headers.get("user-agent")})


async def fail(request: Request) -> Answer:
    raise ZeroDivisionError


@asynccontextmanager
async def listening(port: int | None = None) -> AsyncIterator[int]:
    server = Server("127.0.0.1", port or embedded.free_port(), {"/": echo, "/fail": fail})
    running = asyncio.create_task(server.run())
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(embedded.accepts_connections, server.port):
            await asyncio.sleep(0.01)
    yield server.port
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def say(port: int, words: bytes) -> bytes:
    """All that the server answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(20):
            writer.write(words)
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_it_answers_a_request() -> None:
    async with listening() as port:
        head, _, body = (await say(port, b"GET /?a=b HTTP/1.1\r\nUser-Agent: me\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Connection: close" in head
    assert json.loads(body) == {"path": "/", "peer": "127.0.0.1", "agent": "me"}


async def test_it_answers_head_without_a_body() -> None:
    async with listening() as port:
        answer = await say(port, b"HEAD / HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (b"POST / HTTP/1.1\r\n\r\n", 405),
        (b"GET /elsewhere HTTP/1.1\r\n\r\n", 404),
        (b"GET /fail HTTP/1.1\r\n\r\n", 500),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno field\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xff\r\n\r\n", 400),  # somebody speaks TLS
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    ],
)
async def test_it_refuses_what_is_no_good(words: bytes, status: int) -> None:
    async with listening() as port:
        assert (await say(port, words)).startswith(b"HTTP/1.1 %d " % status)
        assert (await say(port, b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


async def test_it_gives_up_a_client_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "WITHIN_S", 0.2)
    async with listening() as port:
        assert await say(port, b"GET / HT") == b""


async def test_it_takes_no_more_clients_than_it_can_do_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "AT_ONCE", 3)
    async with listening() as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert await say(port, b"GET / HTTP/1.1\r\n\r\n") == b""
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        async with asyncio.timeout(20):
            while not (await say(port, b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 "):
                await asyncio.sleep(0.01)


async def test_it_waits_for_a_port_that_another_process_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a standby does beside the process that works."""
    monkeypatch.setattr(server_module, "BIND_AGAIN_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server("127.0.0.1", port, {"/": echo})
        running = asyncio.create_task(server.run())
        await asyncio.sleep(0.2)
        assert not running.done()
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(embedded.accepts_connections, port):
            await asyncio.sleep(0.01)
    assert (await say(port, b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
