"""`/users/`: admins manage who may sign in, and cannot lock themselves out."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.last_admin import AdminNeededError, keep_an_admin
from accounts.models import User
from accounts.tokens import InvalidAccessTokenError, issue_access_token, user_of_token
from plants.models import Membership, Plant

URL = "/api/v1/users/"
NEW = {"email": "Dora@Example.org", "name": "Dora", "role": "operator", "password": "staple battery horse"}


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {issue_access_token(alice)}"
    return client


@pytest.fixture
def anna(db: None) -> User:
    """Another admin."""
    return User.objects.create(email="anna@example.org", role="admin")


def url(user: User) -> str:
    return f"{URL}{user.pk}/"


def patch(client: Client, user: User, **body: Any) -> Any:
    return client.patch(url(user), body, content_type="application/json")


def emails(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["email"] for row in response.json()["results"]]


def error(response: Any) -> tuple[str, str]:
    assert response.status_code == 400, response.content
    (only,) = response.json()["errors"]
    return only["field"], only["code"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["alice", "bob", "vera"]),
        ("role=operator", ["bob"]),
        ("is_active=false", []),
        ("search=VER", ["vera"]),
        ("email=bob@example.org", ["bob"]),
        ("ordering=-email", ["vera", "bob", "alice"]),
    ],
)
def test_it_lists_filters_searches_and_orders(
    admin: Client, bob: User, vera: User, query: str, expected: list[str]
) -> None:
    assert emails(admin.get(f"{URL}?{query}")) == [f"{name}@example.org" for name in expected]


def test_it_does_not_order_by_password(admin: Client) -> None:
    assert admin.get(f"{URL}?ordering=password").status_code == 400


def test_it_shows_all_but_the_password(admin: Client, bob: User) -> None:
    row = admin.get(url(bob)).json()
    assert {name: row[name] for name in ("id", "email", "name", "role", "is_active", "last_login")} == {
        "id": str(bob.id),
        "email": "bob@example.org",
        "name": "Bob",
        "role": "operator",
        "is_active": True,
        "last_login": None,
    }
    assert set(row) == {"id", "email", "name", "role", "is_active", "created_at", "last_login"}


@pytest.mark.parametrize("persona", ["bob", "vera"])
def test_it_is_closed_to_others(client: Client, request: pytest.FixtureRequest, persona: str) -> None:
    user = request.getfixturevalue(persona)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {issue_access_token(user)}"
    assert client.get(URL).status_code == 403
    assert client.post(URL, NEW, content_type="application/json").status_code == 403
    assert client.get(url(user)).status_code == 403
    assert patch(client, user, role="admin").status_code == 403
    assert client.delete(url(user)).status_code == 403


def test_it_creates_a_user_who_can_sign_in(admin: Client) -> None:
    response = admin.post(URL, NEW, content_type="application/json")
    assert response.status_code == 201, response.content
    assert response.json()["email"] == "dora@example.org"
    assert User.objects.get(email="dora@example.org").check_password(NEW["password"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "dora@example.org"}, "password"),
        ({"password": "x" * 1001}, "password"),
        ({"password": ""}, "password"),
        ({"email": "ALICE@example.org"}, "email"),
        ({"email": "dora"}, "email"),
        ({"role": "owner"}, "role"),
        ({"name": "x" * 151}, "name"),
    ],
)
def test_it_refuses_bad_values(admin: Client, change: dict[str, str], field: str) -> None:
    response = admin.post(URL, NEW | change, content_type="application/json")
    assert error(response)[0] == field
    assert User.objects.count() == 1


def test_it_needs_a_password(admin: Client) -> None:
    body = {name: value for name, value in NEW.items() if name != "password"}
    assert error(admin.post(URL, body, content_type="application/json")) == ("password", "required")


def test_it_does_not_echo_a_password(admin: Client) -> None:
    response = admin.post(URL, NEW | {"password": "tiny-one"}, content_type="application/json")
    assert "tiny-one" not in response.content.decode()


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"is_active": False}, {"password": "staple battery horse"}])
def test_it_ends_tokens_when_access_changes(admin: Client, bob: User, change: dict[str, Any]) -> None:
    token = issue_access_token(bob)
    assert patch(admin, bob, **change).status_code == 200
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(token)


def test_it_keeps_tokens_when_name_or_email_changes(admin: Client, bob: User) -> None:
    token = issue_access_token(bob)
    assert patch(admin, bob, name="Robert", email="Robert@example.org").status_code == 200
    assert user_of_token(token)[0].email == "robert@example.org"


def test_it_writes_only_what_was_sent(admin: Client, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another admin demotes Bob while his name is corrected: both stay."""
    original = User.save

    def save(user: User, **kwargs: Any) -> None:
        User.objects.filter(pk=user.pk).update(role="viewer")
        original(user, **kwargs)

    monkeypatch.setattr(User, "save", save)
    assert patch(admin, bob, name="Robert").status_code == 200
    bob.refresh_from_db()
    assert (bob.name, bob.role) == ("Robert", "viewer")


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"role": "operator", "name": "x"}, {"is_active": False}])
def test_it_does_not_let_an_admin_shut_themselves_out(
    admin: Client, alice: User, anna: User, change: dict[str, Any]
) -> None:
    response = patch(admin, alice, **change)
    assert error(response) == ("", "admin_needed")
    assert "another admin can" in response.json()["detail"]
    alice.refresh_from_db()
    assert (alice.is_admin, alice.name) == (True, "Alice")


def test_it_does_not_let_an_admin_delete_themselves(admin: Client, alice: User, anna: User) -> None:
    assert error(admin.delete(url(alice))) == ("", "admin_needed")
    assert User.objects.contains(alice)


def test_it_says_so_when_they_are_the_last_admin(admin: Client, alice: User) -> None:
    response = patch(admin, alice, is_active=False)
    assert "last active admin" in response.json()["detail"]


def test_it_lets_an_admin_change_their_own_name_and_repeat_their_role(admin: Client, alice: User) -> None:
    assert patch(admin, alice, name="Alice A.", role="admin", is_active=True).status_code == 200


def test_it_demotes_another_admin(admin: Client, anna: User) -> None:
    assert patch(admin, anna, role="viewer").status_code == 200
    assert not User.objects.get(pk=anna.pk).is_admin


def test_it_deletes_a_user_with_their_memberships(admin: Client, bob: User) -> None:
    assert admin.delete(url(bob)).status_code == 204
    assert admin.get(url(bob)).status_code == 404
    assert not Membership.objects.filter(user_id=bob.pk).exists()


def test_it_keeps_the_owner_of_a_plant(admin: Client, kandy: Plant, bob: User) -> None:
    Plant.objects.filter(pk=kandy.pk).update(owner=bob)
    response = admin.delete(url(bob))
    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    assert "owns plants" in response.json()["detail"]
    assert User.objects.contains(bob)
    assert patch(admin, bob, is_active=False).status_code == 200


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
@pytest.mark.parametrize("key", ["00000000-0000-0000-0000-000000000000", "me", "x"])
def test_it_answers_404_for_nobody(admin: Client, method: str, key: str) -> None:
    assert getattr(admin, method)(f"{URL}{key}/").status_code == 404


def test_it_keeps_the_last_admin_from_commands_too(alice: User, bob: User) -> None:
    with pytest.raises(AdminNeededError):
        keep_an_admin([alice.pk, bob.pk])
    keep_an_admin([bob.pk])
    with pytest.raises(AdminNeededError):  # an admin whose session began before they were demoted
        keep_an_admin([alice.pk], by=bob.pk)


@pytest.mark.django_db(transaction=True)
def test_it_lets_only_one_of_two_admins_demote_the_other(
    alice: User, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are past authentication, then both write: the second waits for the first, and is no admin any more."""
    statuses: list[int] = []
    both_came = threading.Barrier(2)

    def keep_an_admin_together(*args: Any, **kwargs: Any) -> None:
        both_came.wait(10)
        keep_an_admin(*args, **kwargs)

    def demote(token: str, other: User) -> None:
        client = Client(headers={"Authorization": f"Bearer {token}"})
        try:
            statuses.append(patch(client, other, role="viewer").status_code)
        finally:
            connection.close()

    monkeypatch.setattr("accounts.api.users.keep_an_admin", keep_an_admin_together)
    pairs = [(issue_access_token(alice), anna), (issue_access_token(anna), alice)]
    threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(statuses) == [200, 400]
    assert User.objects.filter(role="admin", is_active=True).count() == 1
