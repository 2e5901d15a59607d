"""A user's change of their own password."""

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.tokens import InvalidRefreshTokenError, refresh, sign_in

URL = "/api/v1/users/me/password"
ME = "/api/v1/users/me"
OLD, NEW = "correct horse battery", "staple staple staple"
CHANGE = {"current_password": OLD, "new_password": NEW}
JSON = "application/json"


def test_it_changes_the_password_by_token_and_ends_the_token(client: Client, vera: User) -> None:
    pair = sign_in(vera)
    bearer = {"Authorization": f"Bearer {pair.access}"}
    response = client.post(URL, CHANGE, content_type=JSON, headers=bearer)
    assert (response.status_code, response.content) == (204, b"")
    vera.refresh_from_db()
    assert vera.check_password(NEW)
    assert client.get(ME, headers=bearer).status_code == 401
    with pytest.raises(InvalidRefreshTokenError):
        refresh(pair.refresh)


def test_it_keeps_the_browser_that_asked_signed_in_and_no_other(client: Client, vera: User) -> None:
    other, pair = Client(), sign_in(vera)
    for browser in (client, other):
        browser.force_login(vera)
    before = client.cookies[settings.SESSION_COOKIE_NAME].value

    assert client.post(URL, CHANGE, content_type=JSON).status_code == 204

    assert client.get(ME).status_code == 200
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert other.get(ME).status_code == 401
    assert client.get(ME, headers={"Authorization": f"Bearer {pair.access}"}).status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"current_password": "wrong"}, "current_password"),
        ({"current_password": None}, "current_password"),
        ({"new_password": "short"}, "new_password"),
        ({"new_password": "vera@example.org"}, "new_password"),
        ({"new_password": "1234567890"}, "new_password"),
        ({"new_password": "with a NUL \0 inside"}, "new_password"),
        ({"new_password": "x" * 1001}, "new_password"),
    ],
)
def test_it_refuses_and_ends_nothing(client: Client, vera: User, change: dict[str, str], field: str) -> None:
    pair = sign_in(vera)
    bearer = {"Authorization": f"Bearer {pair.access}"}
    response = client.post(URL, CHANGE | change, content_type=JSON, headers=bearer)
    assert response.status_code == 400
    assert {error["field"] for error in response.json()["errors"]} == {field}
    vera.refresh_from_db()
    assert vera.check_password(OLD)
    assert client.get(ME, headers=bearer).status_code == 200


def test_it_is_closed_to_the_anonymous(client: Client, db: None) -> None:
    assert client.post(URL, CHANGE, content_type=JSON).status_code == 401


def test_it_needs_a_csrf_token_of_a_browser(vera: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(vera)
    assert client.post(URL, CHANGE, content_type=JSON).status_code == 403


def test_it_counts_wrong_ones_as_wrong_tries_to_sign_in(client: Client, vera: User) -> None:
    client.force_login(vera)
    for _ in range(5):
        response = client.post(URL, CHANGE | {"current_password": "wrong"}, content_type=JSON)
    assert response.status_code == 429
    assert "Sign-in is locked for" in response.json()["detail"]
    assert 895 <= int(response["Retry-After"]) <= 900
    assert client.post(URL, CHANGE, content_type=JSON).status_code == 429
    vera.refresh_from_db()
    assert vera.check_password(OLD)
