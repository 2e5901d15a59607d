"""Where the live feed is found."""

from django.urls import path

from telemetry.live.consumers import TelemetryConsumer

websocket_urlpatterns = [path("api/v1/ws/telemetry", TelemetryConsumer.as_asgi())]
