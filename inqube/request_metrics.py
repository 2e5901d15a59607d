"""Middleware that counts and times requests by route: of this web process, since it was started."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BOUNDS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ADMIN = "admin/"  # one label for all of its pages: they would be most of all series

registry = CollectorRegistry()
requests = Counter("inqube_http_requests", "Requests answered.", ["route", "method", "status"], registry=registry)
seconds = Histogram(
    "inqube_http_request_seconds", "From a request to its answer.", ["route"], buckets=BOUNDS_S, registry=registry
)
running = Gauge("inqube_http_requests_running", "Requests that are being answered.", registry=registry)


class RequestMetricsMiddleware:
    """Of an answer that is streamed the time until it begins."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        with running.track_inprogress():
            response = self.get_response(request)
        route = route_of(request)
        method = request.method if request.method in METHODS else "other"
        requests.labels(route, method, response.status_code).inc()
        seconds.labels(route).observe(time.monotonic() - began)
        return response


def route_of(request: HttpRequest) -> str:
    """As it is written in urls.py, with names in place of values: there are no more of them than routes."""
    match = request.resolver_match
    if match is None:
        return "none"
    return ADMIN if match.route.startswith(ADMIN) else match.route or "/"
