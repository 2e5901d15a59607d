"""Every path of the project is closed to the anonymous unless it is listed here as open."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

OPEN = {
    "login/",
    "logout/",  # by POST, for a session that is there
    "health",
    "livez",
    "readyz",
    "api/v1/login/access-token",
    "api/v1/login/refresh",  # for whoever holds a refresh token
    "api/v1/logout",
    "api/v1/schema/",
    "api/v1/docs",
}
PARAMETER = re.compile(r"<[^>]+>|\(\?P<\w+>[^)]*\)")
ANYTHING = "00000000-0000-0000-0000-000000000000"


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


ALL = sorted(set(routes(get_resolver().url_patterns)))


def test_it_knows_only_routes_that_exist() -> None:
    assert set(ALL) >= OPEN
    assert any(route.startswith("api/v1/sensors/") for route in ALL)


@pytest.mark.parametrize("route", [route for route in ALL if route not in OPEN and not route.startswith("admin/")])
def test_it_is_closed_to_the_anonymous(client: Client, db: None, route: str) -> None:
    path = "/" + PARAMETER.sub(ANYTHING, route)
    response = client.get(path)
    if route.startswith("api/"):
        assert response.status_code in (401, 405)
    else:
        assert response.status_code == 302
        assert response["Location"].startswith("/login/")


@pytest.mark.parametrize("route", [route for route in ALL if route.startswith("admin/plants/")])
def test_it_keeps_viewers_out_of_the_admin(client: Client, vera: Any, route: str) -> None:
    client.force_login(vera)
    response = client.get("/" + PARAMETER.sub(ANYTHING, route))
    assert response.status_code == 302
    assert response["Location"].startswith(("/admin/login/", "/admin/plants/"))
