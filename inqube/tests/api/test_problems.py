from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.models import User
from accounts.throttles import Ledger
from inqube.api.problems import field_errors, summary
from plants.api.views import PlantViewSet
from plants.models import Plant

MEMBERS = {"type", "title", "status", "detail", "instance", "request_id", "errors"}


def check_problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == MEMBERS
    title = HTTPStatus(status).phrase
    assert (problem["type"], problem["title"], problem["status"]) == ("about:blank", title, status)
    assert problem["instance"] == quote(response.wsgi_request.path)
    assert problem["request_id"] == response["X-Request-ID"]
    assert problem["detail"]
    return problem


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of our own."""

    def fail(*_: Any) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr(PlantViewSet, "get_queryset", fail)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """This minute's requests are used up."""
    monkeypatch.setattr(Ledger, "wait_s", lambda *_: 42)


@pytest.fixture
def owner(bob: User, kandy: Plant) -> User:
    Plant.objects.filter(pk=kandy.pk).update(owner=bob)
    return bob


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PLANTS = "/api/v1/plants/"
SIGN_IN = "/api/v1/login/access-token"
FIELDS = "&".join(f"f{n}=1" for n in range(1001))
TOO_LONG, FAR_TOO_LONG = b" " * 1_100_000, b" " * 2_200_000


# Who asks ("" for nobody), what for, with which body and headers, and what holds meanwhile.
@pytest.mark.parametrize(
    ("status", "persona", "method", "path", "body", "headers", "meanwhile"),
    [
        (400, "alice", "POST", PLANTS, b'{"slug": "!"}', {}, ""),
        (400, "alice", "POST", PLANTS, b"{", {}, ""),
        (400, "alice", "POST", PLANTS, b'{"slug": "\xff"}', {}, ""),
        (400, "alice", "POST", PLANTS, b"{}", {"Content-Type": f"{JSON}; charset=hex"}, ""),
        (400, "alice", "POST", PLANTS, FIELDS.encode(), {"Content-Type": FORM}, ""),
        (400, "alice", "POST", PLANTS, b"a=1", {"Content-Type": "multipart/form-data"}, ""),
        (400, "", "POST", SIGN_IN, b"a=1", {"Content-Type": f"{FORM}; charset=punycode"}, ""),
        (400, "", "POST", SIGN_IN, b"a=1", {"Content-Type": f"{FORM}; charset=hex"}, ""),
        (400, "alice", "GET", f"{PLANTS}?ordering=password", b"", {}, ""),
        (400, "alice", "GET", f"{PLANTS}?slug=%00", b"", {}, ""),
        (400, "", "GET", f"{PLANTS}%00/", b"", {}, ""),
        (400, "", "GET", PLANTS, b"", {"Host": "elsewhere.example"}, ""),
        (401, "", "GET", PLANTS, b"", {}, ""),
        (401, "", "GET", PLANTS, b"", {"Authorization": "Bearer x"}, ""),
        (401, "", "POST", "/api/v1/login/refresh", b'{"refresh_token": "x"}', {}, ""),
        (403, "vera", "POST", PLANTS, b"{}", {}, ""),
        (403, "vera", "GET", "/api/v1/users/", b"", {}, ""),
        (404, "vera", "GET", f"{PLANTS}kandy/", b"", {}, ""),
        (404, "vera", "GET", f"{PLANTS}?page=2", b"", {}, ""),
        (404, "vera", "GET", f"{PLANTS}?format=xml", b"", {}, ""),
        (404, "vera", "GET", "/api/v1/telemetry/latest?plant=nowhere", b"", {}, ""),
        (404, "", "GET", "/api/", b"", {}, ""),
        (404, "", "GET", "/api/v1/nothing/", b"", {}, ""),
        (404, "", "GET", "/api/v2/plants/", b"", {}, ""),
        (404, "", "POST", "/api/v1/plants/1/2/", b"", {}, ""),
        (405, "alice", "DELETE", PLANTS, b"", {}, ""),
        (405, "alice", "TRACE", PLANTS, b"", {}, ""),
        (405, "", "GET", SIGN_IN, b"", {}, ""),
        (406, "alice", "GET", PLANTS, b"", {"Accept": "image/png"}, ""),
        (406, "alice", "GET", PLANTS, b"", {"Accept": "///"}, ""),
        (409, "alice", "DELETE", "/api/v1/users/{owner}/", b"", {}, ""),
        (413, "alice", "POST", PLANTS, TOO_LONG, {}, ""),
        (413, "", "POST", SIGN_IN, FAR_TOO_LONG, {}, ""),
        (415, "alice", "POST", PLANTS, b"<a/>", {"Content-Type": "application/xml"}, ""),
        (429, "alice", "GET", PLANTS, b"", {}, "busy"),
        (429, "", "POST", SIGN_IN, b"{}", {}, "busy"),
        (500, "alice", "GET", PLANTS, b"", {}, "broken"),
    ],
)
def test_it_describes_every_error(
    client: Client,
    owner: User,
    request: pytest.FixtureRequest,
    status: int,
    persona: str,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    meanwhile: str,
) -> None:
    if persona:
        client.force_login(request.getfixturevalue(persona))
    if meanwhile:
        request.getfixturevalue(meanwhile)
    client.raise_request_exception = False
    kind = headers.get("Content-Type", JSON)
    response = client.generic(method, path.format(owner=owner.pk), body, content_type=kind, headers=headers)
    check_problem(response, status)
    expected = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After"}.get(status)
    assert expected is None or response[expected]


def test_it_echoes_the_request_id(client: Client, db: None) -> None:
    problem = client.get("/api/v1/plants/", headers={"X-Request-ID": "line-7.shift-2"}).json()
    assert problem["request_id"] == "line-7.shift-2"


def test_it_describes_404_of_a_row_without_naming_models(client: Client, vera: User) -> None:
    client.force_login(vera)
    problem = check_problem(client.get("/api/v1/zones/00000000-0000-0000-0000-000000000000/"), 404)
    assert problem["detail"] == "Not found."


def test_it_lists_what_is_wrong_by_field(client: Client, alice: User, kandy: Plant) -> None:
    client.force_login(alice)
    response = client.post("/api/v1/plants/", {"slug": "kandy", "timezone": "Mars"}, content_type="application/json")
    problem = check_problem(response, 400)
    assert problem["detail"] == "3 fields or values are not valid; see errors."
    assert {(error["field"], error["code"]) for error in problem["errors"]} == {
        ("slug", "unique"),
        ("name", "required"),
        ("timezone", "invalid"),
    }


def test_it_says_nothing_about_the_cause_of_500(client: Client, alice: User, broken: None) -> None:
    client.force_login(alice)
    client.raise_request_exception = False
    assert "secret" not in client.get(PLANTS).content.decode()


def test_it_leaves_pages_their_own_errors(client: Client, db: None) -> None:
    response = client.get("/nothing/")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_it_shows_problems_in_the_browsable_api_as_a_page(client: Client, vera: User) -> None:
    client.force_login(vera)
    response = client.get("/api/v1/plants/kandy/", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")
    assert "request_id" in response.content.decode()


@pytest.mark.parametrize(
    ("detail", "fields"),
    [
        ({"a": ["x"]}, ["a"]),
        ({"a": {"b": ["x", "y"]}}, ["a.b", "a.b"]),
        ({"a": [{}, {"b": ["x"]}]}, ["a.1.b"]),
        ([{}, {"b": ["x"]}], ["1.b"]),
        ({"non_field_errors": ["x"]}, [""]),
        ({"a": {"non_field_errors": ["x"]}}, ["a"]),
        (["x"], [""]),
    ],
)
def test_it_flattens_errors(detail: Any, fields: list[str]) -> None:
    assert [error["field"] for error in field_errors(detail)] == fields


def test_it_sums_up_one_error_in_its_own_words() -> None:
    assert summary([{"field": "name", "code": "required", "detail": "It is missing."}]) == "name: It is missing."
    assert summary([{"field": "", "code": "x", "detail": "It is wrong."}]) == "It is wrong."


def test_it_names_odd_paths_as_uri_references(client: Client, vera: User) -> None:
    client.force_login(vera)
    problem = client.get("/api/v1/zones/%C2%A1%0A%20x/").json()
    assert problem["instance"] == "/api/v1/zones/%C2%A1%0A%20x/"
