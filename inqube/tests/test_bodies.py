import asyncio
from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any

import orjson
import pytest
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


async def send_in_chunks(chunks: Iterable[bytes], content_type: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to a request that doesn't say how long it is (RFC 9112 §7.1)."""
    sent: list[dict[str, Any]] = []
    answered = asyncio.Event()
    messages = chain(
        ({"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks),
        [{"type": "http.request", "body": b"", "more_body": False}],
    )

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        message = None if sent else next(messages, None)
        if message is None:
            await answered.wait()
        return message or {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        answered.set()

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/login/access-token",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"transfer-encoding", b"chunked"), (b"content-type", content_type)],
    }
    await application(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


async def test_it_stops_reading_a_request_that_says_nothing(settings: Any) -> None:
    settings.MAX_BODY_BYTES = 100_000
    status, _ = await send_in_chunks(repeat(b"x" * 50_000), b"text/plain")
    assert status == 413


CHUNKED = {
    b"application/json": [b'{"username": "nobody@example.org",', b' "password": "x"}'],
    b"application/x-www-form-urlencoded": [b"username=nobody%40example.org", b"&password=x"],
    b"multipart/form-data; boundary=b": [
        b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nnobody@example.org\r\n',
        b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nx\r\n--b--\r\n',
    ],
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("content_type", CHUNKED)
async def test_it_reads_a_request_that_comes_in_chunks(content_type: bytes) -> None:
    status, body = await send_in_chunks(CHUNKED[content_type], content_type)
    assert (status, orjson.loads(body)["detail"]) == (400, "The email address or the password is wrong.")
