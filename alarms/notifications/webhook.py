"""Brings a message to a webhook: one POST, signed, to an address that was checked, in a bounded time.

The host's name is resolved once, each of its addresses is checked, and the connection goes to one of these: a name
that gives another address a moment later (DNS rebinding) leads nowhere. No proxy is used, no redirect followed.
"""

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from alarms.notifications.addresses import Network, is_allowed, parse
from alarms.notifications.outcome import Outcome

CONNECT_S = 5.0  # for each address
TOTAL_S = 10.0  # from the first address on; resolving has the resolver's own limits
MAX_ANSWER = 2048  # bytes of the answer that are read, enough to see in the log what went wrong
MOST_ADDRESSES = 4
DEFAULT_PORTS = {"http": 80, "https": 443}
SIGNATURE = "X-InQube-Signature"
USER_AGENT = "InQube"

Resolve = Callable[[str, int], list[str]]


def signature(secret: str, time_s: int, body: bytes) -> str:
    """`t=1796041781,v1=<hex>`: HMAC-SHA256 under the channel's secret, of the time, a dot, and the body."""
    digest = hmac.new(secret.encode(), f"{time_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={time_s},v1={digest}"


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, each once. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    private: Iterable[Network],
    *,
    resolve: Resolve = resolve,
    total_s: float = TOTAL_S,
    context: ssl.SSLContext | None = None,
) -> Outcome:
    """What came of it; raises nothing. `private` are the networks that may be reached beside the public internet."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError) as error:
        return Outcome(False, f"{host} cannot be resolved: {error}.")
    if not addresses or not all(is_allowed(parse(address), private) for address in addresses):
        words = f"{host} is not in the public internet, and NOTIFY_PRIVATE_NETWORKS does not allow it."
        return Outcome(False, words, is_final=True)
    tls = (context or ssl.create_default_context()) if parts.scheme == "https" else None
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    late = Outcome(False, f"{host} did not answer within {total_s:g} s.")
    with _Deadline(total_s) as deadline:
        connection = _Pinned(host, port, addresses[:MOST_ADDRESSES], tls, deadline)
        try:
            outcome = _exchange(connection, path, body, headers)
        except TimeoutError:
            return late
        except (OSError, http.client.HTTPException) as error:
            return late if deadline.is_over else Outcome(False, f"{host}: {_words(error)}.")
        finally:
            connection.close()
        return late if deadline.is_over else outcome  # one that was cut off looks like one that is complete


def _exchange(connection: "_Pinned", path: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    connection.request("POST", path, body, {"User-Agent": USER_AGENT, "Connection": "close", **headers})
    response = connection.getresponse()
    if 200 <= response.status < 300:
        return Outcome(True, f"{response.status} {response.reason}".strip())  # what else it says is its own affair
    words = f"{response.status} {response.reason}".strip()
    if 300 <= response.status < 400:
        return Outcome(False, f"{words}: redirects are not followed, enter the address to which it leads.")
    said = " ".join(response.read(MAX_ANSWER).decode(errors="replace").split())
    return Outcome(False, f"{words}: {said}" if said else words)


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, http.client.HTTPException):
        return f"what answered does not speak HTTP ({type(error).__name__})"
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).rstrip(".")


class _Deadline:
    """Ends a connection when the time is over, whatever it waits for: each byte in time adds up to hours."""

    def __init__(self, seconds: float) -> None:
        self._end_s = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_over = False

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def left_s(self) -> float:
        """Raises TimeoutError where nothing is left."""
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def watch(self, watched: socket.socket) -> None:
        """Raises TimeoutError where it is over already."""
        with self._lock:
            self._socket = watched
            if self.is_over:
                raise TimeoutError

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            if self._socket is not None:
                with suppress(OSError):  # it has ended by itself
                    # The bare one's: a wrapped socket would first want to say goodbye.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Pinned(http.client.HTTPConnection):
    """To one of these addresses, under the name of the host: in the Host header, for SNI and for the certificate."""

    def __init__(
        self, host: str, port: int, addresses: list[str], tls: ssl.SSLContext | None, deadline: _Deadline
    ) -> None:
        super().__init__(host, port, timeout=CONNECT_S)
        self.default_port = DEFAULT_PORTS["https" if tls else "http"]  # which the Host header leaves out
        self._addresses = addresses
        self._tls = tls
        self._deadline = deadline

    def connect(self) -> None:
        self.sock: Any = self._first()
        self._deadline.watch(self.sock)
        if self._tls is not None:
            wrapped = self._tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = wrapped
            self._deadline.watch(wrapped)
            wrapped.do_handshake()
        self.sock.settimeout(None)  # the deadline ends it

    def _first(self) -> socket.socket:
        failure: OSError = OSError("no address")
        for address in self._addresses:
            try:
                return socket.create_connection((address, self.port), min(CONNECT_S, self._deadline.left_s()))
            except OSError as error:
                failure = error
        raise failure
