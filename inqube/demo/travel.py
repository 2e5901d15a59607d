"""Waits until a reading has really travelled: published over MQTT, stored, and sent to a WebSocket."""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import websockets

from inqube.demo import DemoError

REQUEST_TIMEOUT_S = 5


@dataclass(frozen=True)
class Travelled:
    """A reading that came over the WebSocket and was then found in the database, through REST."""

    address: str
    value: float
    unit: str


async def sign_in(client: httpx.AsyncClient, credentials: dict[str, str]) -> str:
    """An access token."""
    form = {"username": credentials["email"], "password": credentials["password"]}
    answer = await client.post("/api/v1/login/access-token", data=form)
    if answer.status_code != httpx.codes.OK:
        raise DemoError(f"{credentials['email']} can't sign in: {answer.status_code} {answer.text[:200]}")
    return str(answer.json()["access_token"])


async def newest_delta(socket: websockets.ClientConnection, plant: str, since_ms: float) -> tuple[int, float]:
    """Number and time (ms) of the first reading in a delta that is not older than `since_ms`."""
    await socket.send(json.dumps({"type": "subscribe", "plant": plant, "sensors": None, "max_hz": 2}))
    async for text in socket:
        frame: dict[str, Any] = json.loads(text)
        if frame["type"] == "error":
            raise DemoError(f"The live feed refuses plant {plant}: {frame.get('detail') or frame.get('code')}.")
        if frame["type"] not in ("snapshot", "delta"):
            continue
        await socket.send(json.dumps({"type": "ack", "plant": plant, "seq": frame["seq"]}))
        if frame["type"] == "delta":
            for number, ts_ms, _value, _quality in frame["readings"]:
                if ts_ms >= since_ms:
                    return number, ts_ms
    raise DemoError("The live feed closed before a reading came.")


async def find_stored(client: httpx.AsyncClient, plant: str, number: int, ts_ms: float) -> Travelled:
    """The sensor's newest stored reading, which must be this one or a later one."""
    answer = (await client.get("/api/v1/telemetry/latest", params={"plant": plant})).raise_for_status().json()
    rows = answer["results"] if isinstance(answer, dict) else answer
    for row in rows:
        if row["sensor_number"] == number:
            stored_ms = datetime.fromisoformat(row["timestamp"]).timestamp() * 1000
            if stored_ms < ts_ms - 1:  # frames carry whole milliseconds
                raise DemoError(f"A reading of {row['address']} came over the WebSocket but is not stored.")
            return Travelled(row["address"], row["value"], row["unit"])
    raise DemoError(f"Sensor {number} came over the WebSocket but REST doesn't know it.")


async def reading_travelled(port: int, credentials: dict[str, str], plant: str) -> Travelled:
    """Returns when a reading from after the call has come all the way; cancel it to give up."""
    try:
        return await follow_reading(port, credentials, plant)
    except (httpx.HTTPError, websockets.WebSocketException, OSError) as error:
        raise DemoError(f"The web server did not answer as it should: {error}") from error


async def follow_reading(port: int, credentials: dict[str, str], plant: str) -> Travelled:
    since_ms = time.time() * 1000
    base = f"127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=f"http://{base}", timeout=REQUEST_TIMEOUT_S, trust_env=False) as client:
        token = await sign_in(client, credentials)
        client.headers["Authorization"] = f"Bearer {token}"
        async with websockets.connect(
            f"ws://{base}/api/v1/ws/telemetry",
            subprotocols=[websockets.Subprotocol(p) for p in ("inqube.v1", f"inqube.bearer.{token}")],
            proxy=None,
        ) as socket:
            number, ts_ms = await newest_delta(socket, plant, since_ms)
        return await find_stored(client, plant, number, ts_ms)
