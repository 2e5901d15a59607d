import pytest
from django.test import Client

from accounts.models import SecurityEvent, User
from accounts.tokens import InvalidAccessTokenError, issue_access_token, user_of_token

USERS = "/admin/accounts/user/"


def act(client: Client, action: str, *users: User, confirmed: bool = True) -> str:
    form = {"action": action, "_selected_action": [str(user.pk) for user in users]}
    response = client.post(USERS, form | ({"confirmed": "yes"} if confirmed else {}), follow=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.mark.parametrize("action", ["deactivate", "force_logout"])
def test_it_asks_first(admin: Client, bob: User, action: str) -> None:
    page = act(admin, action, bob, confirmed=False)
    assert "are you sure?" in page
    assert "bob@example.org" in page
    bob.refresh_from_db()
    assert (bob.is_active, bob.token_version) == (True, 0)


@pytest.mark.parametrize("action", ["deactivate", "force_logout"])
def test_it_ends_sessions_and_tokens(admin: Client, bob: User, action: str) -> None:
    browser = Client()
    browser.force_login(bob)
    token = issue_access_token(bob)
    assert "done for 1 user." in act(admin, action, bob)
    assert browser.get("/").status_code == 302
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(token)
    assert User.objects.get(pk=bob.pk).is_active is (action == "force_logout")


@pytest.mark.parametrize(("action", "kind"), [("deactivate", "deactivated"), ("force_logout", "tokens_revoked")])
def test_it_is_in_the_audit_trail_with_the_admin(admin: Client, alice: User, bob: User, action: str, kind: str) -> None:
    act(admin, action, bob)
    event = SecurityEvent.objects.get(user=bob)
    assert event.context is not None
    assert (event.kind, event.context["user"]) == (kind, str(alice.pk))


def test_it_does_not_deactivate_oneself(admin: Client, alice: User, bob: User) -> None:
    assert "last active admin" in act(admin, "deactivate", alice, bob)
    assert User.objects.filter(is_active=True).count() == 2


def test_it_shows_role_and_last_login(admin: Client, bob: User) -> None:
    page = admin.get(USERS).content.decode()
    assert "Operator" in page
    assert "Last login" in page
