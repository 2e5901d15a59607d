"""A program that follows a plant of a real web server over a real socket."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from telemetry.tests.web_server import WebServer


class Client:
    """Acknowledges what it hears; `view` is what it takes for true: by sensor number, (milliseconds, value)."""

    def __init__(self, web: WebServer, token: str) -> None:
        self.view: dict[int, tuple[int, float]] = {}
        self.last = ""  # type of what it heard last
        self.epoch, self.seq = "", 0
        self._opened = ExitStack()
        self.connect(web, token)

    def connect(self, web: WebServer, token: str) -> None:
        protocols: list[Any] = ["inqube.v1", f"inqube.bearer.{token}"]
        url = f"ws://127.0.0.1:{web.port}/api/v1/ws/telemetry"
        self.socket = self._opened.enter_context(connect(url, subprotocols=protocols, proxy=None))

    def close(self) -> None:
        self._opened.close()

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    @property
    def values(self) -> dict[int, float]:
        return {number: value for number, (_, value) in self.view.items()}

    def subscribe(self, plant: str = "kandy", **wanted: Any) -> None:
        self.say(type="subscribe", plant=plant, max_hz=10, **wanted)

    def resume(self) -> None:
        self.subscribe(resume={"epoch": self.epoch, "seq": self.seq})

    def hear(self, within_s: float = 20) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.socket.recv(within_s))
        self.last = frame["type"]
        if frame["type"] in ("snapshot", "delta"):
            self.say(type="ack", plant=frame["plant"], seq=frame["seq"])
            self._take(frame)
        return frame

    def hear_until(self, condition: Callable[[], bool], within_s: float = 20) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            self.hear(deadline - time.monotonic())

    def hear_close(self, within_s: float = 20) -> int:
        """The code with which the server closes, whatever it says before."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                self.hear(deadline - time.monotonic())
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006

    def _take(self, frame: dict[str, Any]) -> None:
        self.epoch, self.seq = frame.get("epoch", self.epoch), frame["seq"]
        if frame["type"] == "snapshot":
            self.view.clear()
        for number, ms, value, _ in frame["readings"]:
            if number not in self.view or self.view[number][0] <= ms:
                self.view[number] = ms, value
