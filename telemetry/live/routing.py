"""Where the live feed is found."""

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path, re_path

from telemetry.live.consumers import TelemetryConsumer


class NothingHere(AsyncWebsocketConsumer):
    """Refuses the handshake; without it the router would log an exception for whatever path anyone asks for."""

    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns = [
    path("api/v1/ws/telemetry", TelemetryConsumer.as_asgi()),
    re_path("", NothingHere.as_asgi()),  # any other path
]
