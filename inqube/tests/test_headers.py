"""What every response tells the browser."""

import pytest
from django.test import Client

from accounts.models import User


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.mark.parametrize(
    "path", ["/", "/login/", "/admin/", "/admin/plants/sensor/", "/api/v1/plants/", "/api/v1/docs", "/nothing/"]
)
def test_it_forbids_what_our_pages_do_not_need(signed_in: Client, path: str) -> None:
    headers = signed_in.get(path, headers={"Accept": "text/html"}).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_it_carries_no_inline_style_or_script_in_the_browsable_api(signed_in: Client) -> None:
    page = signed_in.get("/api/v1/sensors/", headers={"Accept": "text/html"}).content.decode()
    assert "Filters" in page
    assert "<style" not in page
    assert " style=" not in page


def test_it_tells_people_whose_form_is_too_old() -> None:
    response = Client(enforce_csrf_checks=True).post("/login/", {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "Nothing was changed" in response.content.decode()
