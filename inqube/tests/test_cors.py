from typing import Any

import pytest
from django.test import Client

OTHER = "https://dashboards.example.org"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(autouse=True)
def allowed(settings: Any, db: None) -> None:
    settings.CORS_ALLOWED_ORIGINS = [OTHER]


def test_it_lets_a_listed_page_call_the_api(client: Client) -> None:
    response = client.options("/api/v1/plants/", headers={"Origin": OTHER, **PREFLIGHT})
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == OTHER
    assert "authorization" in response["Access-Control-Allow-Headers"]
    assert "PATCH" in response["Access-Control-Allow-Methods"]


def test_it_lets_a_listed_page_read_errors_too(client: Client) -> None:
    response = client.get("/api/v1/plants/", headers={"Origin": OTHER})
    assert response.status_code == 401
    assert response["Access-Control-Allow-Origin"] == OTHER
    assert "Retry-After" in response["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    ("origin", "path"),
    [
        ("https://evil.example", "/api/v1/plants/"),
        ("http://dashboards.example.org", "/api/v1/plants/"),
        ("null", "/api/v1/plants/"),
        (OTHER, "/login/"),
        (OTHER, "/admin/"),
    ],
)
def test_it_lets_nobody_else_and_nothing_else(client: Client, origin: str, path: str) -> None:
    assert "Access-Control-Allow-Origin" not in client.get(path, headers={"Origin": origin})


def test_it_never_takes_a_session_along(client: Client) -> None:
    response = client.options("/api/v1/plants/", headers={"Origin": OTHER, **PREFLIGHT})
    assert "Access-Control-Allow-Credentials" not in response
