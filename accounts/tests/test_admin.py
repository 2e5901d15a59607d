from typing import Any

import pytest
from django.test import Client

from accounts.last_admin import keep_an_admin
from accounts.models import User
from accounts.tokens import InvalidAccessTokenError, issue_access_token, user_of_token
from conftest import PASSWORD

USERS = "/admin/accounts/user/"


def test_it_lists_and_finds_users(client: Client, alice: User, bob: User, vera: User) -> None:
    client.force_login(alice)
    page = client.get(USERS, {"q": "BOB", "role": "operator"}).content.decode()
    assert "bob@example.org" in page
    assert "vera@example.org" not in page


def test_it_adds_a_user_who_can_sign_in(client: Client, alice: User) -> None:
    client.force_login(alice)
    form = {
        "email": "Dora@Example.org",
        "name": "Dora",
        "role": "viewer",
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
    }
    assert client.post(f"{USERS}add/", form).status_code == 302
    dora = User.objects.get(email="dora@example.org")
    assert dora.check_password("correct horse battery")


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"is_active": ""}])
def test_it_ends_tokens_when_access_changes(client: Client, alice: User, bob: User, change: dict[str, str]) -> None:
    token = issue_access_token(bob)
    client.force_login(alice)
    form = {"email": bob.email, "name": bob.name, "role": "operator", "is_active": "on"} | change
    assert client.post(f"{USERS}{bob.pk}/change/", form).status_code == 302
    bob.refresh_from_db()
    assert bob.token_version == 1
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(token)


def test_it_keeps_tokens_when_only_the_name_changes(client: Client, alice: User, bob: User) -> None:
    client.force_login(alice)
    form = {"email": bob.email, "name": "Robert", "role": "operator", "is_active": "on"}
    assert client.post(f"{USERS}{bob.pk}/change/", form).status_code == 302
    bob.refresh_from_db()
    assert (bob.name, bob.token_version) == ("Robert", 0)


def test_it_ends_tokens_when_the_password_changes(client: Client, alice: User, bob: User) -> None:
    client.force_login(alice)
    form = {"password1": "staple staple staple", "password2": "staple staple staple", "usable_password": "true"}
    assert client.post(f"{USERS}{bob.pk}/password/", form).status_code == 302
    bob.refresh_from_db()
    assert bob.check_password("staple staple staple")
    assert bob.token_version == 1


@pytest.mark.parametrize("persona", ["bob", "vera"])
def test_it_is_closed_to_others(client: Client, request: pytest.FixtureRequest, persona: str) -> None:
    client.force_login(request.getfixturevalue(persona))
    assert client.get(USERS).status_code in (302, 403)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("{pk}/change/", {"email": "alice@example.org", "role": "viewer", "is_active": "on"}),
        ("{pk}/change/", {"email": "alice@example.org", "role": "admin"}),
        ("{pk}/delete/", {"post": "yes"}),
        ("", {"action": "delete_selected", "post": "yes"}),
        ("", {"action": "deactivate", "confirmed": "yes"}),
    ],
)
def test_it_does_not_let_an_admin_shut_themselves_out(
    client: Client, alice: User, bob: User, path: str, form: dict[str, str]
) -> None:
    User.objects.filter(pk=bob.pk).update(role="admin")
    client.force_login(alice)
    client.post(USERS + path.format(pk=alice.pk), form | {"_selected_action": [str(alice.pk), str(bob.pk)]})
    assert {user.pk for user in User.objects.all() if user.is_admin} == {alice.pk, bob.pk}


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("{pk}/change/", {"email": "bob@example.org", "role": "viewer", "is_active": "on"}),
        ("{pk}/change/", {"email": "bob@example.org", "role": "admin"}),
        ("{pk}/delete/", {"post": "yes"}),
        ("", {"action": "delete_selected", "post": "yes"}),
        ("", {"action": "deactivate", "confirmed": "yes"}),
    ],
)
def test_it_keeps_the_last_admin_from_one_who_was_demoted_meanwhile(
    client: Client, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch, path: str, form: dict[str, str]
) -> None:
    """Alice is past the door, about to take away Bob's access, when he demotes her."""
    User.objects.filter(pk=bob.pk).update(role="admin")
    client.force_login(alice)

    def meanwhile(*args: Any, **kwargs: Any) -> None:
        User.objects.filter(pk=alice.pk).update(role="viewer")
        keep_an_admin(*args, **kwargs)

    monkeypatch.setattr("accounts.admin.keep_an_admin", meanwhile)
    client.post(USERS + path.format(pk=bob.pk), form | {"_selected_action": [str(bob.pk)]})
    assert User.objects.get(pk=bob.pk).is_admin


def test_it_demotes_and_deletes_another_admin(client: Client, alice: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(role="admin")
    client.force_login(alice)
    form = {"email": bob.email, "name": bob.name, "role": "viewer", "is_active": "on"}
    assert client.post(f"{USERS}{bob.pk}/change/", form).status_code == 302
    assert not User.objects.get(pk=bob.pk).is_admin
    assert client.post(f"{USERS}{bob.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=bob.pk).exists()


NEW_PASSWORD = "staple staple staple"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (f"{USERS}{{bob}}/change/", {"email": "bob@example.org", "name": "Bo", "role": "operator", "is_active": "on"}),
        (
            f"{USERS}{{bob}}/password/",
            {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"},
        ),
        (
            "/admin/password_change/",
            {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD},
        ),
    ],
)
def test_it_gives_back_no_role_that_another_admin_takes_meanwhile(
    client: Client, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch, path: str, form: dict[str, str]
) -> None:
    client.force_login(bob if "old_password" in form else alice)
    original = User.save

    def save(user: User, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("update_fields") != ["last_login"]:
            User.objects.filter(pk=bob.pk).update(role="viewer")
        original(user, *args, **kwargs)

    monkeypatch.setattr(User, "save", save)
    assert client.post(path.format(bob=bob.pk), form).status_code == 302
    changed = User.objects.get(pk=bob.pk)
    assert changed.role == "viewer"
    assert changed.name == "Bo" or changed.check_password(NEW_PASSWORD)
