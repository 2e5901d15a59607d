from django.test import Client

from accounts.models import User
from accounts.tokens import issue_access_token

URL = "/api/v1/users/me"


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_access_token(user)}"}


def test_it_says_who_is_signed_in(client: Client, vera: User) -> None:
    response = client.get(URL, headers=bearer(vera))
    assert response.json() == {
        "id": str(vera.id),
        "email": "vera@example.org",
        "name": "Vera",
        "role": "viewer",
    }


def test_it_takes_a_session_too(client: Client, vera: User) -> None:
    client.force_login(vera)
    assert client.get(URL).json()["email"] == "vera@example.org"


def test_it_refuses_the_anonymous_with_a_challenge(client: Client) -> None:
    response = client.get(URL)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="inqube"'
    assert response["Content-Type"] == "application/problem+json"


def test_it_changes_the_name(client: Client, vera: User) -> None:
    response = client.patch(URL, {"name": "Vera R."}, content_type="application/json", headers=bearer(vera))
    assert response.status_code == 200
    vera.refresh_from_db()
    assert vera.name == "Vera R."


def test_it_changes_neither_role_nor_email(client: Client, vera: User) -> None:
    body = {"role": "admin", "email": "alice@example.org"}
    client.patch(URL, body, content_type="application/json", headers=bearer(vera))
    vera.refresh_from_db()
    assert (vera.role, vera.email) == ("viewer", "vera@example.org")


def test_it_refuses_a_change_by_session_without_a_csrf_token(vera: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(vera)
    assert client.patch(URL, {"name": "Mallory"}, content_type="application/json").status_code == 403
