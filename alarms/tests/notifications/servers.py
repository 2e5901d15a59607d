"""Real servers for messages, each on a port of its own, that misbehave as asked."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class WebhookServer:
    """Keeps what it receives; answers with `status`, one after the other, the last for good, or does `misbehave`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Request] = []
        self.statuses = [200]
        self.headers: dict[str, str] = {}
        self.answer = b"ok"
        self.misbehave: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/alarms?of=kandy"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.received.append(Request(self.path, dict(self.headers), body))
                with contextlib.suppress(OSError):
                    if server.misbehave is not None:
                        server.misbehave(self)
                    else:
                        self._answer()

            def _answer(self) -> None:
                status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
                self.send_response(status)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(server.answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


class MailServer:
    """A small SMTP server (RFC 5321): keeps what it receives; refuses addresses in `refused`, or hangs."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], bytes]] = []
        self.refused: dict[str, bytes] = {}
        self.greeting = b"220 mail.example ESMTP\r\n"
        self.hangs = False
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                if self.hangs:
                    self._ended.wait()
                    continue
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        lines = client.makefile("rb")
        client.sendall(self.greeting)
        recipients: list[str] = []
        for line in lines:
            words = line.decode().strip()
            verb = words[:4].upper()
            if verb == "RCPT":
                address = words.partition("<")[2].partition(">")[0]
                if address in self.refused:
                    client.sendall(self.refused[address])
                    continue
                recipients.append(address)
            elif verb == "RSET":
                recipients = []
            elif verb == "DATA":
                client.sendall(b"354 go on\r\n")
                content = b"".join(iter(lines.readline, b".\r\n"))
                self.received.append((recipients, content))
                recipients = []
            elif verb == "QUIT":
                client.sendall(b"221 bye\r\n")
                return
            client.sendall(b"250 ok\r\n")
