"""Sockets close with the code that says why, also when the server fails (1011) or ends (1012).

daphne cuts connections off when it ends, and autobahn below it refuses to send the codes that RFC 6455 gives to
servers; so both are asked here for what they can do. Other servers are left as they are.
"""

from typing import Any, cast

from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.tcp import Port

from inqube.flow import server_side

reactor = cast(Any, twisted_reactor)  # Twisted's interfaces have no `self`, which mypy takes for errors
SERVER_RESTARTS = 1012  # clients come back at once
OF_SERVERS = range(1001, 3000)  # the codes of the RFC and its registry
FAREWELL_S = 0.5  # for clients to close their side; who doesn't is cut off, as everybody would be

_watched: set[Server] = set()


class CloseCodes:
    """Middleware around the WebSocket application, in the manner of Channels'."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        protocol = server_side(send)
        if not isinstance(protocol, WebSocketProtocol):
            await self.inner(scope, receive, send)
            return
        if protocol.server not in _watched:
            _watched.add(protocol.server)
            # Twisted cuts connections when nothing is left of `before`.
            reactor.addSystemEventTrigger("before", "shutdown", say_farewell, protocol.server)

        async def close_with_code(message: dict[str, Any]) -> None:
            is_open = protocol.state == protocol.STATE_OPEN
            if message["type"] == "websocket.close" and message.get("code") in OF_SERVERS and is_open:
                protocol.sendCloseFrame(message["code"])
            else:
                await send(message)

        await self.inner(scope, receive, close_with_code)


def say_farewell(server: Server) -> Deferred[Any]:
    """Closes the sockets with 1012; fires when they are closed or FAREWELL_S is over."""
    for reader in reactor.getReaders():
        if isinstance(reader, Port):
            reader.stopListening()  # or clients would come back to a process that ends
    sockets = [each for each in server.connections if isinstance(each, WebSocketProtocol)]
    for socket in sockets:
        if socket.state == socket.STATE_OPEN:
            socket.sendCloseFrame(SERVER_RESTARTS)
    closed: Deferred[Any] = DeferredList([socket.is_closed for socket in sockets])
    closed.addTimeout(FAREWELL_S, reactor)
    return closed.addErrback(lambda _: None)
