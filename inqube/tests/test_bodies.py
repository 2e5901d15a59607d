import asyncio
from typing import Any

from django.test import Client

from inqube.asgi import application

LIMIT = 2 << 20


def test_it_refuses_a_request_that_says_it_is_too_large(client: Client, db: None) -> None:
    response = client.post("/api/v1/login/access-token", b"x" * (LIMIT + 1), content_type="text/plain")
    assert response.status_code == 413
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["request_id"] == response["X-Request-ID"]


def test_it_refuses_pages_too(client: Client, db: None) -> None:
    response = client.post("/login/", b"x" * (LIMIT + 1), content_type="text/plain")
    assert response.status_code == 413


async def test_it_stops_reading_a_request_that_says_nothing(settings: Any) -> None:
    settings.MAX_BODY_BYTES = 100_000
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if sent:
            return {"type": "http.disconnect"}
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x" * 50_000, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/login/access-token",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")],
    }
    await application(scope, receive, send)
    assert sent[0]["status"] == 413
