"""Middleware of every request: the id that answers, problems and logs carry; slashes at the end; the refusal of NUL."""

import re
import uuid
from collections.abc import Callable
from urllib.parse import unquote_plus

import structlog
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

from inqube.api.problems import bad_request

ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Echoes `X-Request-ID` where it is sane, makes one where it is not, and binds it to the log context."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class SlashMiddleware:
    """Takes a path of the API with a slash at its end and without: its documents write some so and some so.

    Django's way is to redirect, which makes a GET of a POST.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.startswith("/api/") and not is_valid_path(path):
            other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
            if is_valid_path(other):
                request.path = request.path.removesuffix(path) + other
                request.path_info = other
        return self.get_response(request)


class NulMiddleware:
    """Refuses NUL in paths and queries: PostgreSQL's text can't hold it, so a lookup by it would fail as a 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "\0" in unquote_plus(request.META.get("QUERY_STRING", "")):
            return bad_request(request, BadRequest("A path or query can't hold the character NUL."))
        return self.get_response(request)
