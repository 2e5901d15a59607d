"""No page offers what its reader may not do: every link and form is compared with the access matrix."""

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve

from inqube.tests.access.matrix import COLUMNS, ROUTES, declared, path
from inqube.tests.access.routes import plain
from inqube.tests.access.rules import QUERIES
from inqube.tests.access.world import HERE, World

pytestmark = pytest.mark.django_db

REFUSED = {"401", "403", "404", "405", "login"}
PAGES = [route for route in ROUTES if not route.startswith("api/") and "GET" in declared().get(route, {})]


class Offers(HTMLParser):
    """Collects `(method, URL)` of what a page lets its reader do."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.url = url
        self.method, self.action = "GET", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.method = (given.get("method") or "get").upper()
            self.action = given.get("action") or ""
        if (tag == "button" and given.get("type") != "button") or given.get("type") == "submit":
            self.offer(self.method, self.action)  # a form of the admin that is only read has none
        if tag == "a" and "href" in given:
            self.offer("GET", given["href"])
        if "formaction" in given:
            self.offer((given.get("formmethod") or self.method).upper(), given["formaction"])

    def offer(self, method: str, target: str | None) -> None:
        split = urlsplit(urljoin(self.url, target or ""))
        if not split.netloc and method != "DIALOG":  # which is closed, and sends nothing
            self.found.add((method, split.path))


def refused(persona: str, method: str, url: str) -> bool:
    """By the matrix, for a thing of the persona's own plant."""
    if url in ("/logout/", "/admin/logout/"):  # leads to the sign-in page because it did what it was asked
        return False
    try:
        rows = declared()[plain(str(resolve(url).route))]
    except Resolver404:
        return True
    cells = rows[method].split()
    return cells[COLUMNS[persona]].partition("/")[0] in REFUSED


def overreaching(persona: str, world: World) -> Iterator[str]:
    for route in PAGES:
        url = path(route, world.places[HERE])
        query = QUERIES.get(route, lambda _: {})(world.places[HERE])
        response = world.browsers[persona].get(url, query_params=query)
        if response.status_code != 200 or not response["Content-Type"].startswith("text/html"):
            continue
        for method, target in sorted(Offers(url, response.content.decode()).found):
            if refused(persona, method, target):
                yield f"{route or '/'} offers {method} {target}"


@pytest.mark.parametrize("persona", ["viewer", "operator", "admin"])
def test_it_offers_only_what_its_reader_may_do(world: World, persona: str) -> None:
    assert list(overreaching(persona, world)) == []


def test_it_sees_what_a_page_offers() -> None:
    html = '<a href="b/">b</a><form method="post"><button formaction="/c/">c</button></form><a href="//x.org/">x</a>'
    assert Offers("/a/", html).found == {("GET", "/a/b/"), ("POST", "/a/"), ("POST", "/c/")}
