import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User


def test_it_describes_the_api_without_warnings(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


def test_it_serves_openapi_3_1_with_the_way_to_sign_in(client: Client, db: None) -> None:
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    assert schema["openapi"] == "3.1.0"
    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    login = schema["paths"]["/api/v1/login/access-token"]["post"]
    assert "application/x-www-form-urlencoded" in login["requestBody"]["content"]
    assert login.get("security", [{}]) in ([], [{}])
    assert {"bearer": []} in schema["paths"]["/api/v1/plants/"]["get"]["security"]


def test_it_says_that_every_operation_may_answer_with_a_problem(client: Client, db: None) -> None:
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    assert "Problem" in schema["components"]["schemas"]
    for path in schema["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_it_serves_swagger_ui_from_here_alone(client: Client, db: None) -> None:
    response = client.get("/api/v1/docs")
    assert response.status_code == 200
    page = response.content.decode()
    urls = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(urls) == 5
    for url in urls:
        assert url.startswith("/")
        assert not url.startswith("//")
        answer = client.get(url.replace("&amp;", "&"))
        assert answer.status_code == 200, url
        answer.close()


def test_it_needs_no_inline_code_for_swagger_ui(client: Client, db: None) -> None:
    response = client.get("/api/v1/docs")
    page = response.content.decode()
    assert "<style" not in page
    assert "style=" not in page
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy


def test_it_points_swagger_ui_at_the_schema(client: Client, db: None) -> None:
    response = client.get("/api/v1/docs", {"script": ""})
    assert response["Content-Type"].startswith("application/javascript")
    assert "/api/v1/schema/" in response.content.decode() or "schema/" in response.content.decode()


@pytest.mark.parametrize("path", ["plants/", "zones/", "machines/", "sensors/", "users/me"])
def test_it_shows_the_browsable_api_to_the_signed_in(client: Client, bob: User, path: str) -> None:
    client.force_login(bob)
    response = client.get(f"/api/v1/{path}", headers={"Accept": "text/html"})
    assert response.status_code == 200
    page = response.content.decode()
    assert "Bob" in page
    for script in re.findall(r"<script([^>]*)>", page):
        assert "src=" in script or "application/json" in script
    assert "onclick=" not in page


def test_it_offers_the_browsable_api_a_way_to_sign_in(client: Client, db: None) -> None:
    response = client.get("/api/v1/plants/", headers={"Accept": "text/html"})
    assert response.status_code == 401
    assert "/login/?next=/api/v1/plants/" in response.content.decode()


def test_it_describes_all_ways_to_authenticate(client: Client, db: None) -> None:
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "cookieAuth", "device"}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("login/access-token", "post"),
        ("telemetry/latest", "get"),
        ("telemetry/history", "get"),
        ("telemetry/", "post"),
        ("telemetry/test", "post"),
    ],
)
def test_it_gives_examples(client: Client, db: None, path: str, method: str) -> None:
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    operation = schema["paths"][f"/api/v1/{path}"][method]
    assert operation["responses"]["200"]["content"]["application/json"]["examples"]


def test_it_lists_the_errors_that_programs_tell_apart(client: Client, db: None) -> None:
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    responses = schema["paths"]["/api/v1/plants/{id}/"]["patch"]["responses"]
    assert set(responses) == {"200", "400", "401", "403", "404", "413", "415", "429", "default"}
    assert "Retry-After" in responses["429"]["headers"]
