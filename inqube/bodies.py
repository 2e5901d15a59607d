"""No request is larger than MAX_BODY_BYTES, whatever it says of its size.

The ASGI application counts, and stops reading; the middleware, which knows the request's id, answers.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from inqube.api.problems import too_large

TOO_LARGE = "inqube.too_large"  # the scope's mark of a body that was cut off
BYTES_READ = "inqube.bytes_read"  # its count of the body's bytes; Django reads all before it begins with a request


def with_body_limit(application: Any) -> Any:
    """Reads at most MAX_BODY_BYTES of an HTTP request's body; the rest is as good as not sent."""

    async def limited(scope: dict[str, Any], receive: Any, send: Any) -> None:
        read = 0

        async def receive_within_limit() -> dict[str, Any]:
            nonlocal read
            message: dict[str, Any] = await receive()
            while TOO_LARGE in scope and message["type"] == "http.request":
                message = await receive()  # Django waits for the disconnection now
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                scope[BYTES_READ] = read
                if read > settings.MAX_BODY_BYTES:
                    scope[TOO_LARGE] = True
                    return {"type": "http.request", "body": b"", "more_body": False}
            return message

        await application(scope, receive_within_limit, send)

    return limited


class BodyLimitMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if getattr(request, "scope", {}).get(TOO_LARGE) or declared(request) > settings.MAX_BODY_BYTES:
            return too_large(request)
        if "CONTENT_LENGTH" not in request.META:  # sent in chunks: to DRF and Django that would be no body at all
            request.META["CONTENT_LENGTH"] = str(getattr(request, "scope", {}).get(BYTES_READ, 0))
        return self.get_response(request)


def declared(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
