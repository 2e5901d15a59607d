"""The access matrix of WebSockets: who may open one, and follow which plant."""

from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from inqube.asgi import application
from inqube.tests.access import rules
from inqube.tests.access.matrix import Case, expected
from inqube.tests.access.world import PERSONAS, Place, build

pytestmark = pytest.mark.django_db(transaction=True)


async def outcome(route: str, token: str | None, place: Place) -> str:
    """The code with which the socket is closed, the answer to a subscription, or `refused` for no handshake."""
    offered = ["inqube.v1"] + ([f"inqube.bearer.{token}"] if token else [])
    socket = WebsocketCommunicator(application, f"/{route}", headers=[(b"host", b"testserver")], subprotocols=offered)
    if not (await socket.connect())[0]:
        return "refused"
    try:
        first = await socket.receive_output(5)
        if first["type"] == "websocket.close":
            return str(first["code"])
        assert orjson.loads(first["text"])["type"] == "ready"
        await socket.send_to(text_data=orjson.dumps({"type": "subscribe", "plant": place.name}).decode())
        answer: dict[str, Any] = orjson.loads(await socket.receive_from(5))
        return str(answer.get("code", answer["type"]))
    finally:
        await socket.disconnect()


@pytest.mark.parametrize("route", rules.WEBSOCKETS)
async def test_it_answers_as_declared(route: str) -> None:
    world = await sync_to_async(build)()
    found = {
        str(case): (await outcome(route, world.tokens.get(case.persona), case.place), expected(row, case))
        for row in [rules.WEBSOCKETS[route]]
        for persona in PERSONAS
        for place in world.places.values()
        for case in [Case("CONNECT", persona, place)]
    }
    assert {case: got for case, (got, _) in found.items()} == {case: wanted for case, (_, wanted) in found.items()}


@pytest.mark.parametrize("path", ["nonsense", "a%0Ab", "api/v1/ws/telemetry/", "api/v1/ws", "login/"])
async def test_it_refuses_any_other_path(path: str) -> None:
    socket = WebsocketCommunicator(application, f"/{path}", headers=[(b"host", b"testserver")])
    assert (await socket.connect())[0] is False
    await socket.disconnect()
