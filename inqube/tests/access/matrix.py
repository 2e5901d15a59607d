"""Asks a route as every persona and compares the answers with the declared ones."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import pytest
from asgiref.sync import async_to_sync
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client

from inqube.tests.access import rules
from inqube.tests.access.routes import http_routes
from inqube.tests.access.rules import Rows
from inqube.tests.access.world import (
    HOME,
    PERSONAS,
    Place,
    World,
)

COLUMNS = {"anonymous": 0, "viewer": 1, "operator": 2, "admin": 3, "owner": 4, "other": 2, "deactivated": 0}


ROUTES = sorted(set(http_routes()))


def declared() -> dict[str, Rows]:
    """Every route that the matrix speaks of."""
    routes = rules.ROUTES | rules.ADMIN_SITE
    for model in rules.ADMIN_MODELS:
        prefix = f"admin/{model.replace('.', '/')}/"
        actual = [route.removeprefix(prefix) for route in ROUTES if route.startswith(prefix)]
        routes |= {prefix + what: rules.admin_rows(model, what) for what in actual}
    return routes


class Case(NamedTuple):
    method: str
    persona: str
    place: Place

    def __str__(self) -> str:
        return f"{self.method} by {self.persona}, of {self.place.name}"


def cases(route: str, rows: Rows, world: World) -> Iterator[Case]:
    """Each method by each persona, for the things of both plants where it makes a difference to the request."""
    places = list(world.places.values())
    for method in rows:
        same = request_of(route, method, places[0]) == request_of(route, method, places[1])
        for persona in PERSONAS:
            if persona == "owner" and len(rows[method].split()) <= COLUMNS["owner"]:
                continue  # an operator like others
            for place in places[:1] if same else places:
                yield Case(method, persona, place)


def expected(row: str, case: Case) -> str:
    cells = row.split()
    column = COLUMNS[case.persona]
    own, _, foreign = cells[column if column < len(cells) else 2].partition("/")
    return foreign if foreign and HOME.get(case.persona) != case.place.name else own


def path(route: str, place: Place) -> str:
    """The route with the place's things for its parameters."""
    parts = route.split("/")
    values = {
        "<slug>": place.plant.slug,
        "<zone>": place.zone.slug,
        "<machine>": place.machine.slug,
        "<app_label>": "plants",
        "<url>": "nowhere",
        "<content_type_id>": str(ContentType.objects.get_for_model(type(place.sensor)).pk),
    }
    for index, part in enumerate(parts):
        if part in ("<pk>", "<id>", "<object_id>"):
            kind = "sensor" if parts[:2] == ["admin", "r"] else parts[index - 1]
            parts[index] = str(getattr(place, rules.THINGS.get(kind, kind)).pk)
        elif part.startswith("<"):
            parts[index] = values[part]
    return "/" + "/".join(parts)


def request_of(route: str, method: str, place: Place) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The path, the query and the body."""
    key = "admin/*/delete/" if route.startswith("admin/") and route.endswith("/delete/") else route
    query = rules.QUERIES.get(route, lambda _: {})(place)
    body = rules.BODIES.get((key, method), lambda _: {})(place)
    return path(route, place), query, body


def ask(client: Client, route: str, case: Case) -> Any:
    url, query, body = request_of(route, case.method, case.place)
    request = getattr(client, case.method.lower())
    if route.startswith("api/") and case.method not in ("GET", "HEAD"):
        return request(url, body, content_type="application/json", query_params=query)
    if case.method == "POST":
        return request(url, body, query_params=query)
    return request(url, query_params=query)


def outcome(response: Any) -> str:
    if response.status_code in (301, 302):
        target = response["Location"].partition("?")[0]
        return {"/login/": "login", "/admin/login/": "login", "/admin/": "index"}.get(target, "302")
    return str(response.status_code)


def body(response: Any) -> bytes:
    async def collect(chunks: AsyncIterator[bytes]) -> bytes:
        return b"".join([chunk async for chunk in chunks])

    if not response.streaming:
        return response.content
    return async_to_sync(collect)(response.streaming_content) if response.is_async else b"".join(response)


def given_away(response: Any, hidden: list[str], url: str) -> list[str]:
    """The names in the answer that this persona must not learn, beside those they asked with."""
    text = f"{response.headers}{body(response).decode(errors='replace')}".lower().replace(url, "")
    return [name for name in hidden if name in text]


def faults(route: str, rows: Rows, world: World, clients: dict[str, Client]) -> Iterator[str]:
    for case in cases(route, rows, world):
        wanted = expected(rows[case.method], case)
        client = clients[case.persona]
        cookies = dict(client.cookies)
        with transaction.atomic():
            response = ask(client, route, case)
            transaction.set_rollback(True)
        client.cookies.update(cookies)
        if (got := outcome(response)) != wanted:
            yield f"{case}: {got}, but declared is {wanted}"
        for name in given_away(response, world.hidden_from(case.persona), path(route, case.place)):
            yield f"{case}: the answer gives away {name}"


def check(route: str, clients: dict[str, Client], world: World) -> None:
    """Fails with a line for each answer that is not as declared."""
    rows = declared().get(route)
    assert rows is not None, f"{route} is missing from the access matrix (inqube/tests/access/rules.py)"
    if found := list(faults(route, rows, world, clients)):
        pytest.fail("\n".join([route, *found]), pytrace=False)
