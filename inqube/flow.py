"""A streamed answer is made no faster than its client reads, and one that fails midway never looks complete.

ASGI leaves both to the server, but daphne takes whatever it is given into memory, and meets an exception in the
middle of a response with an error of its own. Twisted below it can do both; other servers are left as they are.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog
from daphne.http_protocol import WebRequest
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

STALLED_S = 120.0  # without a byte taken by the client: what waits for it (a query, a connection) is given up
log = structlog.get_logger("inqube.flow")

Send = Callable[[dict[str, Any]], Awaitable[None]]


class StalledError(Exception):
    """The client has not read for STALLED_S."""


@implementer(IPushProducer)
class Flow:
    """One response on its way through daphne; Twisted calls the three methods of a producer."""

    def __init__(self, request: WebRequest, send: Send) -> None:
        self._request = request
        self._send = send
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()
        self._streams = False
        self.begun = False

    def pauseProducing(self) -> None:  # noqa: N802
        self._may_go_on.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._may_go_on.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._may_go_on.set()  # the connection is gone; the application hears of it as http.disconnect

    async def send(self, message: dict[str, Any]) -> None:
        """Passes the message on; returns when the client has taken enough for another one."""
        self.begun = True
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        more = message.get("more_body", False)
        if more and not self._streams and self._request.channel is not None:
            self._request.registerProducer(self, True)
            self._streams = True
        if not more:
            self._let_go()
        await self._send(message)
        if more:
            await asyncio.sleep(0)  # a fast source and a fast client would keep all others waiting
            try:
                async with asyncio.timeout(STALLED_S):
                    await self._may_go_on.wait()
            except TimeoutError:
                raise StalledError from None

    def abort(self) -> None:
        """Ends the connection so that no client takes what it has for everything."""
        if self._request.channel is not None:
            self._let_go()
            self._request.channel.transport.abortConnection()

    def _let_go(self) -> None:
        if self._streams and self._request.channel is not None:
            self._request.unregisterProducer()
        self._streams = False


def server_side(send: Any) -> Any:
    """What daphne has for a connection, by the `send` that it gives to the application; None of another server."""
    return send.args[0] if isinstance(send, partial) and send.args else None


def with_flow_control(application: Any) -> Any:
    async def flowing(scope: dict[str, Any], receive: Any, send: Any) -> None:
        request = server_side(send)
        if not isinstance(request, WebRequest):
            await application(scope, receive, send)
            return
        flow = Flow(request, send)
        try:
            await application(scope, receive, flow.send)
        except StalledError:
            log.info("answer given up: its client does not read", path=scope["path"], seconds=STALLED_S)
            flow.abort()
        except Exception:
            if not flow.begun:
                raise
            log.exception("answer broken off", path=scope["path"])
            flow.abort()

    return flowing
