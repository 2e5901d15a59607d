"""Errors of the API as RFC 9457 problems: one shape, whoever found the fault."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, TypedDict
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults
from rest_framework.exceptions import APIException, ErrorDetail, NotFound, ValidationError
from rest_framework.exceptions import PermissionDenied as ApiPermissionDenied
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

MEDIA_TYPE = "application/problem+json"
API_PREFIX = "/api/"


class FieldError(TypedDict):
    field: str  # dotted path into the request's body, or the name of a query parameter; "" for the whole
    code: str
    detail: str


class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[FieldError]


def problem(request: HttpRequest, status: int, detail: str, errors: list[FieldError] | None = None) -> Problem:
    return {
        "type": "about:blank",  # RFC 9457 §4.2.1: no more than the status says, so the title is the status's
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": quote(request.path, safe="/:@", errors="replace"),  # a URI reference, whatever was asked for
        "request_id": getattr(request, "request_id", ""),
        "errors": errors or [],
    }


def field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """DRF's nested lists and dictionaries of errors, flat."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            below = path if key == "non_field_errors" else f"{path}.{key}".lstrip(".")
            yield from field_errors(value, below)
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            # A list of messages belongs to one field; a list of objects is a list in the body.
            nested = isinstance(value, dict | list)
            yield from field_errors(value, f"{path}.{index}".lstrip(".") if nested else path)
    else:
        yield {"field": path, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def summary(errors: list[FieldError]) -> str:
    """One sentence for people: the only error's, or how many there are."""
    if len(errors) > 1:
        return f"{len(errors)} fields or values are not valid; see errors."
    if not errors:
        return "The request is not valid."
    field, detail = errors[0]["field"], errors[0]["detail"]
    return f"{field}: {detail}" if field else detail


def problem_response(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None for the unexpected, which becomes `server_error` after being logged."""
    response = exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, Http404):
        exc = NotFound()  # the message of get_object_or_404 names models
    elif isinstance(exc, PermissionDenied):
        exc = ApiPermissionDenied(*exc.args)
    assert isinstance(exc, APIException)
    errors: list[FieldError] = []
    if isinstance(exc, ValidationError) or not isinstance(exc.detail, ErrorDetail):
        errors = list(field_errors(exc.detail))
        detail = summary(errors)
    else:
        detail = str(exc.detail)
    request = context["request"]
    response.data = problem(request._request, response.status_code, detail, errors)
    if not isinstance(getattr(request, "accepted_renderer", None), BrowsableAPIRenderer):
        # Also where the view would have answered in another format, such as CSV.
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), MEDIA_TYPE
        response.content_type = MEDIA_TYPE
    return response


def problem_outside_views(request: HttpRequest, status: int, detail: str) -> JsonResponse:
    return JsonResponse(problem(request, status, detail), status=status, content_type=MEDIA_TYPE)


# Django's own errors: problems under /api/, pages elsewhere. `inqube.urls` names these as its handlers.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        # Of Django's errors of a request, this one speaks to the client; the others are for the log.
        detail = str(exception) if isinstance(exception, BadRequest) else "The request could not be read."
        return problem_outside_views(request, 400, detail)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return problem_outside_views(request, 403, "You may not do this.")
    return defaults.permission_denied(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's check of forms; why it failed is for the log, which has it."""
    if request.path.startswith(API_PREFIX):
        return problem_outside_views(request, 403, "The CSRF token is missing or wrong.")
    return render(request, "403_csrf.html", status=403)


def too_large(request: HttpRequest) -> HttpResponse:
    detail = f"A request may have {settings.MAX_BODY_BYTES:,} bytes at most."
    if request.path.startswith(API_PREFIX):
        return problem_outside_views(request, 413, detail)
    return HttpResponse(detail, status=413, content_type="text/plain")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return problem_outside_views(request, 404, "There is nothing at this path.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return problem_outside_views(request, 500, "InQube failed on this request; its log has the request id.")
    return defaults.server_error(request)
