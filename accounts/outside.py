"""InQube as an outside client sees it: HTTP and WebSocket by the standard library, nothing of the server's own code."""

import base64
import json
import os
import struct
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

ANSWER_WITHIN_S = 15.0
FORM = "application/x-www-form-urlencoded"
CLOSE, TEXT = 0x8, 0x1  # opcodes of RFC 6455 §5.2
LONGEST_FRAME = 64 * 1024


class UnreachableError(Exception):
    """The server did not answer, or not in HTTP; the text says how."""


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: Any  # parsed JSON, else None


class Heard(NamedTuple):
    """The first thing that a server said on a socket: a close code, or a JSON message."""

    code: int | None
    message: Any


class Server:
    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"“{base_url}” is not an address such as https://inqube.example:8443.")
        self._type = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc}"

    def get(self, path: str, authorization: str | None = None) -> Answer:
        return self._ask("GET", path, None, {"Authorization": authorization} if authorization else {})

    def post_form(self, path: str, form: Mapping[str, str]) -> Answer:
        return self._ask("POST", path, urlencode(form), {"Content-Type": FORM})

    def post(self, path: str, body: Any) -> Answer:
        return self._ask("POST", path, json.dumps(body), {"Content-Type": "application/json"})

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        connection = self._type(self._host, self._port, timeout=ANSWER_WITHIN_S)
        try:
            connection.request(method, self._prefix + path, body, {"Accept": "application/json", **headers})
            response = connection.getresponse()
            raw = response.read()
        except (OSError, HTTPException) as error:
            raise UnreachableError(f"{self.origin} did not answer: {error or type(error).__name__}.") from None
        finally:
            connection.close()
        try:
            parsed = json.loads(raw)
        except ValueError:
            parsed = None
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, parsed)

    def hear(self, path: str, *, token: str | None = None) -> Heard:
        """Opens a WebSocket (RFC 6455 §4.1), hears the first frame, and leaves."""
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": "inqube.v1",
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection = self._type(self._host, self._port, timeout=ANSWER_WITHIN_S)
        try:
            connection.request("GET", self._prefix + path, headers=headers)
            response = connection.getresponse()
            if response.status != 101:
                raise UnreachableError(f"the WebSocket was refused with {response.status}")
            return _frame(response.fp.read)
        except (OSError, HTTPException, ValueError, struct.error) as error:
            raise UnreachableError(f"the WebSocket failed: {error or type(error).__name__}") from None
        finally:
            connection.close()


def _frame(read: Any) -> Heard:
    """One unmasked frame of a server (RFC 6455 §5.2), which is enough for a first word."""
    opcode, length = read(1)[0] & 0x0F, read(1)[0]
    if length == 126:
        (length,) = struct.unpack("!H", read(2))
    if length > LONGEST_FRAME or length == 127:
        raise ValueError("the server's first frame is too long")
    payload = read(length)
    if opcode == CLOSE:
        return Heard(struct.unpack("!H", payload[:2])[0] if payload else None, None)
    if opcode != TEXT:
        raise ValueError(f"the server's first frame is of kind {opcode}")
    return Heard(None, json.loads(payload))
