from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import SecurityEvent, User
from accounts.security_events import Kind, record
from conftest import PASSWORD

LOGIN = "/api/v1/login/access-token"


def events(**query: object) -> list[tuple[str, str, str]]:
    rows = SecurityEvent.objects.filter(**query).order_by("id")
    return [(event.kind, event.email, event.detail) for event in rows]


def sign_in(email: str, password: str) -> dict[str, str]:
    form = {"username": email, "password": password}
    return APIClient().post(LOGIN, form, format="multipart", REMOTE_ADDR="192.0.2.9").json()


def test_it_notes_a_sign_in_of_a_program_and_from_where(bob: User) -> None:
    sign_in(bob.email, PASSWORD)
    event = SecurityEvent.objects.get(user=bob)
    assert (event.kind, event.detail) == (Kind.LOGIN, LOGIN)
    assert event.context is not None
    assert event.context["address"] == "192.0.2.9"
    assert len(event.context["request_id"]) == 32


def test_it_notes_a_sign_in_and_out_of_a_person(client: Client, bob: User) -> None:
    client.post("/login/", {"username": bob.email, "password": PASSWORD})
    client.post("/logout/")
    assert events(user=bob) == [("login", "", "/login/"), ("logout", "", "/logout/")]


def test_it_notes_a_failure_with_the_email_that_was_tried(bob: User) -> None:
    sign_in(bob.email, "wrong horse battery")
    sign_in("nobody@example.org", "wrong horse battery")
    assert events(user=bob) == [("login_failed", "bob@example.org", LOGIN)]
    assert events(user=None) == [("login_failed", "nobody@example.org", LOGIN)]


def test_it_notes_a_lockout(bob: User, settings: Any) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(bob.email, "wrong horse battery")
    assert events(user=bob)[-1] == ("login_failed", "bob@example.org", LOGIN)
    assert events(user=bob, kind=Kind.LOCKED_OUT) == [("locked_out", "bob@example.org", LOGIN)]


def test_it_notes_a_refresh_token_that_comes_again(bob: User) -> None:
    pair = sign_in(bob.email, PASSWORD)
    for _ in range(2):
        APIClient().post("/api/v1/login/refresh", {"refresh_token": pair["refresh_token"]})
    assert events(user=bob, kind=Kind.TOKEN_REUSED) == [("token_reused", "", "its sign-in has ended")]


def test_it_notes_a_sign_out_of_a_program(bob: User) -> None:
    APIClient().post("/api/v1/logout", {"refresh_token": sign_in(bob.email, PASSWORD)["refresh_token"]})
    assert events(user=bob)[-1] == ("logout", "", "")


@pytest.mark.parametrize(
    ("change", "event"),
    [
        ({"role": "viewer"}, ("role_changed", "", "operator → viewer")),
        ({"is_active": False}, ("deactivated", "", "")),
        ({"token_version": 7}, ("tokens_revoked", "", "all sessions and tokens")),
    ],
)
def test_it_notes_changes_of_access_also_in_bulk(bob: User, change: dict[str, object], event: object) -> None:
    User.objects.filter(pk=bob.pk).update(**change)
    assert events(user=bob) == [event]


def test_it_notes_no_change_of_a_name(bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(name="Robert")
    assert events(user=bob) == []


def test_it_takes_whatever_a_stranger_sends(db: None) -> None:
    record(Kind.LOGIN_FAILED, email="a\0b\ud800" + "c" * 500)
    assert len(SecurityEvent.objects.get().email) == 254


def test_it_outlives_the_user(bob: User) -> None:
    record(Kind.LOGIN, user=bob)
    key = bob.pk
    bob.delete()
    assert SecurityEvent.objects.filter(user=key).exists()
