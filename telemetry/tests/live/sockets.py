"""A client of the live socket, for tests that run the real application."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.tokens import issue_access_token

PATH = "/api/v1/ws/telemetry"
Open = Callable[..., Awaitable["Socket"]]
token_of = sync_to_async(issue_access_token)


class Socket(WebsocketCommunicator):
    """A client that speaks JSON."""

    async def say(self, **message: Any) -> None:
        await self.send_to(text_data=orjson.dumps(message).decode())

    async def hear(self, within_s: float = 10) -> dict[str, Any]:
        heard: dict[str, Any] = orjson.loads(await self.receive_from(timeout=within_s))
        return heard

    async def hear_close(self, within_s: float = 10) -> int:
        output = await self.receive_output(within_s)
        assert output["type"] == "websocket.close"
        return int(output["code"])


async def subscribe(socket: Socket, **wanted: Any) -> dict[str, Any]:
    """Subscribes to kandy; gives the snapshot."""
    assert (await socket.hear())["type"] == "ready"
    await socket.say(type="subscribe", plant="kandy", **wanted)
    return await socket.hear()


async def session_headers(user: User) -> tuple[Client, dict[str, str]]:
    """A browser that the user is signed in with, and what it sends along when one of our pages opens a socket."""
    browser = Client()
    await sync_to_async(browser.force_login)(user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    return browser, {"cookie": cookie, "origin": "http://testserver"}
