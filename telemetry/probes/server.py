"""A small HTTP server in the event loop of a process that has no other: for probes and scrapes, and nothing else.

That it answers shows that the loop turns. Each request has a connection of its own, a few seconds and a few kilobytes.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple

import structlog
from django.utils.datastructures import CaseInsensitiveMapping

HEAD_BYTES = 8 * 1024
WITHIN_S = 10.0  # from the first byte to the last; a check of the database takes two of them at most
AT_ONCE = 32  # connections: what comes beyond them is closed unread
BIND_AGAIN_S = 5.0  # while the process before us still has the port
METHODS = ("GET", "HEAD")

log = structlog.get_logger("inqube.probes")


class Request(NamedTuple):
    path: str
    headers: Mapping[str, str]
    peer: str


class Answer(NamedTuple):
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[str, ...] = ()


Route = Callable[[Request], Awaitable[Answer]]


class BadRequestError(Exception):
    """What was sent is no HTTP/1 request."""


class Server:
    """Answers on a port for as long as `run()` runs. What happens to it is no reason to end the process's work."""

    def __init__(self, host: str, port: int, routes: Mapping[str, Route]) -> None:
        self.host = host
        self.port = port
        self._routes = routes
        self._open = 0

    async def run(self) -> None:
        """Listens until cancelled; asks for the port again and again while another process has it."""
        has_failed = False
        while True:
            try:
                server = await asyncio.start_server(self._connected, self.host, self.port, limit=HEAD_BYTES)
                break
            except OSError as error:
                if not has_failed:
                    log.error("probes have no port; trying again", host=self.host, port=self.port, error=str(error))
                has_failed = True
                await asyncio.sleep(BIND_AGAIN_S)
        log.info("probes answer", host=self.host, port=self.port)
        try:
            await asyncio.get_running_loop().create_future()  # serve_forever() would wait for who is connected
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= AT_ONCE:
            writer.transport.abort()
            return
        self._open += 1
        try:
            with contextlib.suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
                async with asyncio.timeout(WITHIN_S):
                    await self._serve(reader, writer)
                    writer.close()
                    await writer.wait_closed()
        finally:
            self._open -= 1
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method = "GET"
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            peer = writer.get_extra_info("peername")
            method, request = parse(head, str(peer[0]) if peer else "")
            answer = await self._answer(method, request)
        except asyncio.LimitOverrunError:
            answer = refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        except BadRequestError:
            answer = refusal(HTTPStatus.BAD_REQUEST)
        writer.write(encode(answer, with_body=method != "HEAD"))
        await writer.drain()

    async def _answer(self, method: str, request: Request) -> Answer:
        route = self._routes.get(request.path)
        if route is None:
            return refusal(HTTPStatus.NOT_FOUND, f"There is {', '.join(self._routes)}.")
        if method not in METHODS:
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, headers=(f"Allow: {', '.join(METHODS)}",))
        try:
            return await route(request)
        except Exception:  # a fault of ours, which must not take the loop's other work with it
            log.exception("probe failed", path=request.path)
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR)


def parse(head: bytes, peer: str) -> tuple[str, Request]:
    """The method and the request of the bytes up to the empty line."""
    line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError
    method, target, _ = words
    headers = {}
    for each in fields:
        name, colon, value = each.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequestError
        headers[name] = value.strip()
    return method, Request(target.partition("?")[0], CaseInsensitiveMapping(headers), peer)


def refusal(status: HTTPStatus, detail: str = "", headers: tuple[str, ...] = ()) -> Answer:
    return Answer(status, f"{status.phrase}. {detail}".strip().encode() + b"\n", headers=headers)


def encode(answer: Answer, *, with_body: bool) -> bytes:
    head = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "Connection: close",
        *answer.headers,
    ]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + (answer.body if with_body else b"")
