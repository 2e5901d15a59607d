from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from inqube.api.problems import field_errors, summary
from plants.api.views import PlantViewSet
from plants.models import Plant

MEMBERS = {"type", "title", "status", "detail", "instance", "request_id", "errors"}


def check_problem(response: Any, status: int, title: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == MEMBERS
    assert (problem["type"], problem["title"], problem["status"]) == ("about:blank", title, status)
    assert problem["instance"] == response.wsgi_request.path
    assert problem["request_id"] == response["X-Request-ID"]
    assert problem["detail"]
    return problem


def test_it_echoes_the_request_id(client: Client, db: None) -> None:
    problem = client.get("/api/v1/plants/", headers={"X-Request-ID": "line-7.shift-2"}).json()
    assert problem["request_id"] == "line-7.shift-2"


def test_it_describes_401(client: Client, db: None) -> None:
    check_problem(client.get("/api/v1/plants/"), 401, "Unauthorized")


def test_it_describes_403(client: Client, vera: User) -> None:
    client.force_login(vera)
    problem = check_problem(client.post("/api/v1/plants/", {}), 403, "Forbidden")
    assert problem["detail"] == "Your role may read here, not write."


def test_it_describes_404_of_a_row_without_naming_models(client: Client, vera: User) -> None:
    client.force_login(vera)
    problem = check_problem(client.get("/api/v1/zones/00000000-0000-0000-0000-000000000000/"), 404, "Not Found")
    assert problem["detail"] == "Not found."


@pytest.mark.parametrize("path", ["/api/", "/api/v1/nothing/", "/api/v2/plants/", "/api/v1/plants/1/2/"])
def test_it_describes_404_of_a_path(client: Client, db: None, path: str) -> None:
    check_problem(client.get(path), 404, "Not Found")


def test_it_describes_404_of_an_id_that_is_none(client: Client, vera: User) -> None:
    client.force_login(vera)
    check_problem(client.get("/api/v1/plants/kandy/"), 404, "Not Found")


def test_it_describes_405(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.delete("/api/v1/plants/")
    check_problem(response, 405, "Method Not Allowed")
    assert "GET" in response["Allow"]


def test_it_describes_406(client: Client, alice: User) -> None:
    client.force_login(alice)
    check_problem(client.get("/api/v1/plants/", headers={"Accept": "image/png"}), 406, "Not Acceptable")


def test_it_describes_413(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.post("/api/v1/plants/", " " * 2_000_000, content_type="application/json")
    assert check_problem(response, 413, response.json()["title"])["detail"].endswith("bytes at most.")


def test_it_describes_415(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.post("/api/v1/plants/", "<a/>", content_type="application/xml")
    check_problem(response, 415, "Unsupported Media Type")


def test_it_describes_a_form_that_django_itself_refuses(client: Client, alice: User) -> None:
    client.force_login(alice)
    body = "&".join(f"f{n}=1" for n in range(1001))
    response = client.post("/api/v1/plants/", body, content_type="application/x-www-form-urlencoded")
    check_problem(response, 400, "Bad Request")


def test_it_lists_what_is_wrong_by_field(client: Client, alice: User, kandy: Plant) -> None:
    client.force_login(alice)
    response = client.post("/api/v1/plants/", {"slug": "kandy", "timezone": "Mars"}, content_type="application/json")
    problem = check_problem(response, 400, "Bad Request")
    assert problem["detail"] == "3 fields or values are not valid; see errors."
    assert {(error["field"], error["code"]) for error in problem["errors"]} == {
        ("slug", "unique"),
        ("name", "required"),
        ("timezone", "invalid"),
    }


def test_it_describes_500_without_a_word_about_the_cause(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr(PlantViewSet, "get_queryset", fail)
    client.force_login(alice)
    client.raise_request_exception = False
    response = client.get("/api/v1/plants/")
    check_problem(response, 500, "Internal Server Error")
    assert "secret" not in response.content.decode()


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
