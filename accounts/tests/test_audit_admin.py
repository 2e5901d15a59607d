from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import User
from plants.models import Membership, Plant

USERS = "/admin/accounts/user/"


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def history(client: Client, user: User, **query: str) -> str:
    response = client.get(f"{USERS}{user.pk}/history/", query)
    assert response.status_code == 200
    return response.content.decode()


def change(client: Client, user: User, **form: str) -> None:
    form = {"email": user.email, "name": user.name, "role": user.role, "is_active": "on"} | form
    assert client.post(f"{USERS}{user.pk}/change/", form, headers={"X-Request-ID": "request-0003"}).status_code == 302


def test_it_shows_who_changed_what_from_what_to_what(admin: Client, bob: User) -> None:
    change(admin, bob, name="Robert")
    page = history(admin, bob)
    assert "alice@example.org" in page
    assert "<b>name</b> <del>Bob</del> → <ins>Robert</ins>" in page
    assert "127.0.0.1" in page
    assert "request-0003" in page


def test_it_shows_security_events_and_memberships(admin: Client, bob: User, kandy: Plant) -> None:
    admin.post(
        f"{USERS}{bob.pk}/password/",
        {"password1": "staple staple staple", "password2": "staple staple staple", "usable_password": "true"},
    )
    Client().post("/login/", {"username": bob.email, "password": "staple staple staple"})
    change(admin, bob, role="viewer")
    Membership.objects.filter(user=bob).delete()
    page = history(admin, bob)
    for what in ("Password changed", "Signed in", "operator → viewer", "membership, bob@example.org, Kandy: deleted"):
        assert what in page
    assert "staple" not in page
    assert User.objects.get(pk=bob.pk).password not in page


def test_it_pages(admin: Client, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.audit_admin.PAGE_SIZE", 2)
    for n in range(3):
        User.objects.filter(pk=bob.pk).update(name=f"Bob {n}")
    first = history(admin, bob)
    assert "Bob 2</ins>" in first
    assert "Bob 0</ins>" not in first
    older = first.partition("?after=")[2].partition('"')[0].replace("%3D", "=")
    second = history(admin, bob, after=older)
    assert "Bob 0</ins>" in second
    assert "Bob 2</ins>" not in second
    assert admin.get(f"{USERS}{bob.pk}/history/", {"after": "nonsense"}).status_code == 400


def test_it_takes_as_many_queries_for_a_long_history_as_for_a_short_one(
    admin: Client, bob: User, django_assert_max_num_queries: Any
) -> None:
    change(admin, bob, name="Robert")
    with django_assert_max_num_queries(20) as short:
        history(admin, bob)
    for n in range(20):
        User.objects.filter(pk=bob.pk).update(name=f"Bob {n}")
    with django_assert_max_num_queries(len(short)):
        history(admin, bob)


def test_it_keeps_no_second_log(admin: Client, bob: User) -> None:
    change(admin, bob, name="Robert")
    admin.post(f"{USERS}{bob.pk}/delete/", {"post": "yes"})
    assert not LogEntry.objects.exists()
