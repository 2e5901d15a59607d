"""The live feed's clients, in a process of their own: they follow a plant, acknowledge, and note when what arrives.

A frame is not parsed but searched, so that the clients are not what is measured.
"""

import asyncio
import random
import re
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect

AT_ONCE = 10  # that connect at the same time
SEQ = re.compile(rb'"seq":(\d+)')
ROW = re.compile(rb"\[(\d+),(\d+),")


class Arrival(NamedTuple):
    """One reading of one frame."""

    sensor: int
    time_ms: int
    arrived_us: int


class Notes:
    def __init__(self) -> None:
        self.arrivals: list[Arrival] | None = None  # None: not yet noted


def follow(url: str, tokens: Sequence[str], pipe: Connection, max_hz: float) -> None:
    """One client for each token. Says how many follow; told for how many seconds, gives the arrivals of that time."""
    asyncio.run(_follow(url, tokens, pipe, max_hz))


async def _follow(url: str, tokens: Sequence[str], pipe: Connection, max_hz: float) -> None:
    notes, turn = Notes(), asyncio.Semaphore(AT_ONCE)
    following = [asyncio.Event() for _ in tokens]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_client(url, token, max_hz, notes, begun, turn))
            for token, begun in zip(tokens, following, strict=True)
        ]
        for begun in following:
            await begun.wait()
        pipe.send(len(tokens))
        seconds = await asyncio.to_thread(pipe.recv)
        notes.arrivals = []
        await asyncio.sleep(seconds)
        arrivals, notes.arrivals = notes.arrivals, None
        pipe.send(arrivals)
        for task in tasks:
            task.cancel()


async def _client(
    url: str, token: str, max_hz: float, notes: Notes, begun: asyncio.Event, turn: asyncio.Semaphore
) -> None:
    protocols: list[Any] = ["inqube.v1", f"inqube.bearer.{token}"]
    async with turn:
        socket = await connect(url, subprotocols=protocols, compression=None, proxy=None, open_timeout=60)
        await socket.recv()  # ready
        await socket.send(f'{{"type": "subscribe", "plant": "bench", "max_hz": {max_hz}}}')
        await _acknowledge(socket, await socket.recv(decode=False))
    begun.set()
    while True:
        frame = await socket.recv(decode=False)
        arrived_us = time.time_ns() // 1000
        await _acknowledge(socket, frame)
        row = ROW.search(frame, random.randrange(len(frame) // 2))
        if notes.arrivals is not None and row is not None:
            notes.arrivals.append(Arrival(int(row[1]), int(row[2]), arrived_us))


async def _acknowledge(socket: ClientConnection, frame: bytes) -> None:
    seq = SEQ.search(frame)
    assert seq is not None, frame
    await socket.send(f'{{"type": "ack", "plant": "bench", "seq": {int(seq[1])}}}')
