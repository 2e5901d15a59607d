"""Access ends with a change of password, role or activity, however the change is made."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.db import connection
from django.test import Client

from accounts.models import User
from accounts.tokens import InvalidAccessTokenError, InvalidRefreshTokenError, refresh, sign_in, user_of_token

ME = "/api/v1/users/me"
PASSWORD = "correct horse battery"


def by_sql(assignment: str) -> Callable[[User], None]:
    def change(user: User) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE accounts_user SET {assignment} WHERE id = %s", [user.pk])

    return change


def by_save(field: str, value: Any) -> Callable[[User], None]:
    def change(user: User) -> None:
        setattr(user, field, value)
        user.save()

    return change


CHANGES = {
    "method": lambda user: user.end_access(),
    "password by method": lambda user: user.change_password("staple staple staple"),
    "role by bulk": lambda user: User.objects.filter(pk=user.pk).update(role="viewer"),
    "role by save": by_save("role", "viewer"),
    "role by SQL": by_sql("role = 'viewer'"),
    "role raised by SQL": by_sql("role = 'admin'"),
    "activity by bulk": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "activity by SQL": by_sql("is_active = false"),
    "activity by SQL, there and back": lambda user: [by_sql(f"is_active = {x}")(user) for x in ("false", "true")],
    "password by SQL": by_sql(f"password = '{make_password(None)}'"),
    "removal": lambda user: user.delete(),
}


@pytest.fixture
def browser(bob: User) -> Client:
    """One that Bob is signed in with."""
    client = Client()
    client.force_login(bob)
    assert client.get(ME).status_code == 200
    return client


@pytest.mark.parametrize("change", CHANGES)
def test_it_ends_tokens_and_browser_sessions(bob: User, browser: Client, change: str) -> None:
    pair = sign_in(bob)
    CHANGES[change](User.objects.get(pk=bob.pk))
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(pair.access)
    with pytest.raises(InvalidRefreshTokenError):
        refresh(pair.refresh)
    assert browser.get(ME).status_code == 401
    assert browser.get("/").status_code == 302


def test_it_goes_on_through_other_changes(bob: User, browser: Client) -> None:
    pair = sign_in(bob)
    bob.name = "Robert"
    bob.save()
    by_sql("last_login = now(), role = 'operator', is_active = true")(bob)
    assert user_of_token(pair.access).user == bob
    assert browser.get(ME).status_code == 200


def test_it_is_not_given_again_by_an_object_that_was_read_before(bob: User, browser: Client) -> None:
    pair = sign_in(bob)
    stale = User.objects.get(pk=bob.pk)
    bob.end_access()
    stale.name = "Robert"
    stale.save()
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(pair.access)
    assert browser.get(ME).status_code == 401


def test_it_ends_for_many_at_once(bob: User, vera: User, browser: Client) -> None:
    pair = sign_in(vera)
    assert User.objects.filter(pk__in=[bob.pk, vera.pk]).end_access() == 2
    assert browser.get(ME).status_code == 401
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(pair.access)


def test_it_is_for_one_user_only(bob: User, vera: User) -> None:
    pair = sign_in(vera)
    bob.end_access()
    assert user_of_token(pair.access).user == vera


def test_it_can_be_had_anew_at_once(client: Client, bob: User) -> None:
    bob.end_access()
    assert client.post("/login/", {"username": bob.email, "password": PASSWORD}).status_code == 302
    assert client.get(ME).status_code == 200


@pytest.mark.parametrize("door", ["page", "program"])
def test_it_is_given_to_a_user_whose_hash_is_renewed_as_they_sign_in(client: Client, bob: User, door: str) -> None:
    """Such as one that another system made with fewer rounds."""
    hasher = BCryptSHA256PasswordHasher()
    hasher.rounds = 4
    User.objects.filter(pk=bob.pk).update(password=hasher.encode(PASSWORD, hasher.salt()))
    form, headers = {"username": bob.email, "password": PASSWORD}, {}
    if door == "page":
        assert client.post("/login/", form).status_code == 302
    else:
        token = client.post("/api/v1/login/access-token", form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
    assert client.get(ME, headers=headers).status_code == 200
    bob.refresh_from_db()
    assert bob.password.startswith("bcrypt_sha256$$2b$12$")
