"""Every route there is: read from the URL resolver and from the WebSocket router, not from a list."""

import re
from collections.abc import Iterator
from typing import Any

from channels.routing import URLRouter
from django.urls import URLPattern, URLResolver, get_resolver

from inqube.asgi import application

GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")  # (?P<name>…) of a regular expression
CONVERTER = re.compile(r"<\w+:(\w+)>")  # <uuid:name>


def plain(route: str) -> str:
    """`^zones/(?P<pk>[^/.]+)/$` and `zones/<uuid:pk>/` as `zones/<pk>/`."""
    route = CONVERTER.sub(r"<\1>", GROUP.sub(r"<\1>", route))
    return route.removeprefix("^").removesuffix("$").removesuffix(r"\Z").replace(r"\.", ".")


def http_routes(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from http_routes(pattern.url_patterns, route)
        else:
            assert isinstance(pattern, URLPattern)
            yield route


def websocket_routes() -> set[str]:
    router: Any = application.application_mapping["websocket"]
    while not isinstance(router, URLRouter):  # middleware around it
        router = router.inner
    return {plain(str(route.pattern)) for route in router.routes}
