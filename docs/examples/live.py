"""Prints the readings of a plant as they come: an example client of InQube's live feed.

    pip install websockets
    export INQUBE_EMAIL=viewer@inqube.example INQUBE_PASSWORD=…
    python live.py kandy

INQUBE_URL names the server, http://localhost:8000 if unset. Readings go to standard output, what happens to the
connection to standard error. Ctrl-C ends it.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
import time
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

BASE = os.environ.get("INQUBE_URL", "http://localhost:8000").rstrip("/")
API = f"{BASE}/api/v1"
SOCKET = f"ws{API.removeprefix('http')}/ws/telemetry"  # https becomes wss

PING_AFTER_S = 5.0  # without a frame; the server closes a socket that says nothing for 30 s
LONGEST_WAIT_S = 30.0  # between two tries to connect
RENEW_BEFORE_S = 30.0  # a token that runs out sooner is not worth connecting with
NOT_AUTHENTICATED, PROTOCOL_VIOLATED, SERVER_RESTARTS = 4401, 4409, 1012  # close codes


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def ask(path: str, *, form: dict[str, str] | None = None, body: Any = None, token: str = "") -> Any:
    """The server's answer to a GET, or to a POST of a form or of JSON."""
    request = Request(path if path.startswith("http") else f"{API}{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if form is not None:
        request.data = urlencode(form).encode()
    elif body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or "null")


class Account:
    """Who we are: a pair of tokens, of which the refresh token is good once, for the next pair."""

    def __init__(self, email: str, password: str) -> None:
        self.email, self.password = email, password
        self.access, self.refresh, self.good_until = "", "", 0.0

    def token(self) -> str:
        """An access token that is good for a while."""
        return self.access if time.monotonic() < self.good_until - RENEW_BEFORE_S else self.renew()

    def renew(self) -> str:
        pair = None
        if self.refresh:
            try:
                pair = ask("/login/refresh", body={"refresh_token": self.refresh})
            except HTTPError as error:
                if error.code not in (400, 401):  # else this sign-in is over, and the password begins another
                    raise
        if pair is None:
            try:
                pair = ask("/login/access-token", form={"username": self.email, "password": self.password})
            except HTTPError as error:
                if error.code == 400:
                    sys.exit(f"Not signed in: {json.load(error)['detail']}")
                raise
        self.access, self.refresh = pair["access_token"], pair["refresh_token"]
        self.good_until = time.monotonic() + pair["expires_in"]
        return self.access

    def sign_out(self) -> None:
        if self.refresh:
            ask("/logout", body={"refresh_token": self.refresh})


class Follower:
    """One plant, over as many sockets as it takes."""

    def __init__(self, account: Account, plant: str) -> None:
        self.account, self.plant = account, plant
        self.sensors: dict[int, dict[str, Any]] = {}  # by number, which frames speak of
        self.newest: dict[int, int] = {}  # milliseconds of the last reading printed, by sensor
        self.position: dict[str, Any] = {}  # epoch and seq of the last frame, and the last alarm: from there we resume
        self.failures = 0

    async def run(self) -> None:
        while True:
            code = 0
            try:
                await self.follow()
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                say(f"The connection is closed ({code}).")
            except (WebSocketException, OSError) as error:  # HTTPError is an OSError
                say(f"No connection: {error}.")
            if code == PROTOCOL_VIOLATED:
                sys.exit("The server says that this program is wrong.")
            if code == NOT_AUTHENTICATED:
                self.account.good_until = 0  # another token, then
            await asyncio.sleep(self.wait(code))

    def wait(self, code: int) -> float:
        """How long before the next try; part of it is chance, so that not all clients come in one moment."""
        if code == SERVER_RESTARTS:
            return random.uniform(0, 2)
        self.failures += 1
        return min(LONGEST_WAIT_S, 0.5 * 2 ** min(self.failures, 10)) * random.uniform(0.5, 1)

    async def follow(self) -> None:
        """One socket, from beginning to end."""
        token = await asyncio.to_thread(self.account.token)
        headers = {"Authorization": f"Bearer {token}"}
        async with connect(SOCKET, subprotocols=["inqube.v1"], additional_headers=headers) as socket:  # type: ignore[list-item]
            is_subscribed = False
            while True:
                frame = await self.hear(socket)
                match frame["type"]:
                    case "ready" if is_subscribed:
                        say(f"The token is renewed, good until {frame['expires_at']}.")
                    case "ready":
                        subscribe = {"type": "subscribe", "plant": self.plant, "sensors": None, "max_hz": 2}
                        await self.tell(socket, **subscribe, resume=self.position if "seq" in self.position else None)
                        is_subscribed = True
                    case "snapshot" | "delta":
                        await self.take(frame)
                        await self.tell(socket, type="ack", plant=self.plant, seq=frame["seq"])
                    case "alarm":
                        self.take_alarm(frame["event"], frame["alarm"])
                    case "auth_expiring":
                        renewed = await asyncio.to_thread(self.account.renew)
                        await self.tell(socket, type="auth", access_token=renewed)
                    case "pong":
                        say("Nothing new, but the server answers.")
                    case "error":
                        sys.exit(frame["detail"])
                    case _:
                        pass  # a later server may say more

    async def hear(self, socket: ClientConnection) -> Any:
        """The next frame. Where none comes it asks whether the server is there; TimeoutError if it isn't."""
        try:
            return json.loads(await asyncio.wait_for(socket.recv(), PING_AFTER_S))
        except TimeoutError:
            await self.tell(socket, type="ping")
            return json.loads(await asyncio.wait_for(socket.recv(), PING_AFTER_S))

    async def tell(self, socket: ClientConnection, **message: Any) -> None:
        await socket.send(json.dumps(message))

    async def take(self, frame: dict[str, Any]) -> None:
        rows = [row for row in frame["readings"] if row[1] > self.newest.get(row[0], -1)]  # a row may come twice
        if any(number not in self.sensors for number, *_ in rows):
            await self.learn_sensors()
        if self.failures or "seq" not in self.position:
            again = "Again" if "seq" in self.position else "Now"
            whole = "with a snapshot" if frame["type"] == "snapshot" else "from where it broke off"
            say(f"{again} following {self.plant}, {whole}.")
        for number, ms, value, quality in rows:
            self.newest[number] = ms
            print_reading(self.sensors.get(number, {"address": f"sensor {number}"}), ms, value, quality)
        # Last: a frame that was not dealt with comes again.
        self.position |= {name: frame[name] for name in ("epoch", "seq", "alarm") if name in frame}
        self.failures = 0

    def take_alarm(self, event: dict[str, Any], alarm: dict[str, Any]) -> None:
        """Each thing that happens to an alarm comes once, in order; after a reconnection, too."""
        print(event["time"], alarm["title"], event["kind"], flush=True)
        self.position["alarm"] = event["id"]

    async def learn_sensors(self) -> None:
        page: str | None = f"/sensors/?{urlencode({'plant': self.plant, 'page_size': 1000})}"
        while page:
            answer = await asyncio.to_thread(ask, page, token=self.account.access)
            self.sensors |= {sensor["number"]: sensor for sensor in answer["results"]}
            page = answer["next"]


def print_reading(sensor: dict[str, Any], ms: int, value: float, quality: int) -> None:
    moment = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    label = sensor.get("states", {}).get(str(int(value)))  # of a sensor of kind state
    shown = label or f"{value:.12g} {sensor.get('unit', '')}".strip()
    word = "good" if quality >= 192 else "uncertain" if quality >= 64 else "bad"
    print(moment, sensor["address"], shown, word, flush=True)


async def main(plant: str, email: str, password: str) -> None:
    account = Account(email, password)
    try:
        await Follower(account, plant).run()
    finally:
        with contextlib.suppress(OSError):  # a server that is away forgets us when the tokens run out
            await asyncio.to_thread(account.sign_out)


if __name__ == "__main__":
    try:
        (plant,) = sys.argv[1:]
        email, password = os.environ["INQUBE_EMAIL"], os.environ["INQUBE_PASSWORD"]
    except (KeyError, ValueError):
        sys.exit("Set INQUBE_EMAIL and INQUBE_PASSWORD, and name a plant: python live.py kandy")
    try:
        asyncio.run(main(plant, email, password))
    except KeyboardInterrupt:
        say("Ended.")
