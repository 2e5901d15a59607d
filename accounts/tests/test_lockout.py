import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from accounts.lockout import duration
from accounts.models import User

PASSWORD = "correct horse battery"
API = "/api/v1/login/access-token"
Door = Callable[..., Any]


def by_token(client: Client, email: str, password: str, **extra: Any) -> Any:
    return client.post(API, {"username": email, "password": password}, **extra)


def by_json(client: Client, email: str, password: str, **extra: Any) -> Any:
    return client.post(API, {"username": email, "password": password}, content_type="application/json", **extra)


def by_page(client: Client, email: str, password: str, **extra: Any) -> Any:
    return client.post("/login/", {"username": email, "password": password}, **extra)


def by_admin(client: Client, email: str, password: str, **extra: Any) -> Any:
    page = client.get("/admin/login/?next=/admin/").headers["Location"].partition("?")[0]
    return client.post(page, {"username": email, "password": password, "next": "/admin/"}, **extra)


@pytest.fixture(autouse=True)
def quick_hasher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the many tries here none is about what one costs."""
    monkeypatch.setattr(BCryptSHA256PasswordHasher, "rounds", 4)


@pytest.fixture
def password_hash(quick_hasher: None) -> str:
    return make_password(PASSWORD)


DOORS = pytest.mark.parametrize("door", [by_token, by_json, by_page, by_admin])


def try_wrongly(door: Door, email: str, times: int = 5, **extra: Any) -> Any:
    for _ in range(times):
        response = door(Client(), email, "wrong", **extra)
    return response


@DOORS
def test_it_closes_after_five_wrong_tries(client: Client, bob: User, door: Door) -> None:
    assert try_wrongly(door, bob.email, 4).status_code in (200, 400)
    response = try_wrongly(door, bob.email, 1)
    assert response.status_code == 429
    assert 895 <= int(response["Retry-After"]) <= 900


@DOORS
@pytest.mark.parametrize("closed_by", [by_token, by_page])
def test_it_closes_all_doors_to_the_right_password_too(client: Client, bob: User, door: Door, closed_by: Door) -> None:
    try_wrongly(closed_by, bob.email)
    response = door(client, bob.email, PASSWORD)
    assert response.status_code == 429
    assert "_auth_user_id" not in client.session


@DOORS
def test_it_opens_after_fifteen_minutes(client: Client, bob: User, door: Door) -> None:
    try_wrongly(door, bob.email)
    AccessAttempt.objects.update(attempt_time=now() - timedelta(minutes=15, seconds=1))
    assert door(client, bob.email, PASSWORD).status_code in (200, 302)


def test_it_is_not_kept_closed_by_further_tries(client: Client, bob: User) -> None:
    try_wrongly(by_token, bob.email)
    AccessAttempt.objects.update(attempt_time=now() - timedelta(minutes=14))
    response = try_wrongly(by_token, bob.email, 3)
    assert int(response["Retry-After"]) <= 60


@DOORS
def test_it_forgets_wrong_tries_after_a_right_one(client: Client, bob: User, door: Door) -> None:
    try_wrongly(door, bob.email, 4)
    assert door(client, bob.email, PASSWORD).status_code in (200, 302)
    assert try_wrongly(door, bob.email, 4).status_code in (200, 400)


def test_it_leaves_the_person_s_other_addresses_and_the_address_s_other_people_alone(
    client: Client, bob: User, vera: User
) -> None:
    try_wrongly(by_token, bob.email, REMOTE_ADDR="192.0.2.1")
    assert by_token(client, bob.email, PASSWORD, REMOTE_ADDR="192.0.2.2").status_code == 200
    assert by_token(client, vera.email, PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 200


def test_it_counts_every_spelling_of_an_email_and_every_browser_as_one(client: Client, bob: User) -> None:
    for index, email in enumerate(["bob@example.org", "BOB@example.org", " bob@example.org", "Bob@Example.Org"]):
        by_token(client, email, "wrong", headers={"User-Agent": f"browser {index}"})
    assert by_token(client, "boB@example.org", "wrong").status_code == 429


def test_it_counts_an_ipv6_network_as_one_address(client: Client, bob: User) -> None:
    for host in range(1, 5):
        by_token(client, bob.email, "wrong", REMOTE_ADDR=f"2001:db8::{host}")
    assert by_token(client, bob.email, "wrong", REMOTE_ADDR="2001:db8::ffff").status_code == 429


@pytest.mark.parametrize("door", [by_token, by_json, by_page])
def test_it_counts_an_email_that_is_longer_in_lower_case(client: Client, db: None, door: Door) -> None:
    for _ in range(5):
        response = door(client, "İ" * 254, "wrong")
    assert response.status_code == 429


def waiting_for_a_turn() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", [by_token, by_page])
def test_it_lets_nobody_in_while_the_last_wrong_try_is_being_counted(
    bob: User, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_wrongly(door, bob.email, 4)
    is_hashing, go_on = threading.Event(), threading.Event()
    check_password = User.check_password

    def slowly(user: User, password: str) -> bool:
        if password == "wrong":
            is_hashing.set()
            assert go_on.wait(20)
        return check_password(user, password)

    monkeypatch.setattr(User, "check_password", slowly)
    answers: dict[str, int] = {}

    def run(password: str) -> None:
        try:
            answers[password] = door(Client(), bob.email, password).status_code
        finally:
            connection.close()

    wrong, right = (threading.Thread(target=run, args=[password]) for password in ("wrong", PASSWORD))
    wrong.start()
    assert is_hashing.wait(20)
    right.start()
    deadline = time.monotonic() + 20
    while right.is_alive() and not waiting_for_a_turn() and time.monotonic() < deadline:
        time.sleep(0.02)
    go_on.set()
    for thread in (wrong, right):
        thread.join(20)
    assert answers == {"wrong": 429, PASSWORD: 429}


def test_it_closes_to_an_address_that_tries_many_emails(client: Client, bob: User, settings: Any) -> None:
    settings.LOCKOUT_ADDRESS_TRIES = 6
    for number in range(6):
        response = by_token(client, f"person{number}@example.org", "wrong")
    assert response.status_code == 429
    assert response.json()["detail"].endswith("Too many wrong tries from this address.")
    assert by_token(client, bob.email, PASSWORD).status_code == 429
    assert by_token(client, bob.email, PASSWORD, REMOTE_ADDR="192.0.2.2").status_code == 200


def test_it_says_the_same_about_known_unknown_inactive_and_passwordless_users(
    client: Client, bob: User, vera: User, charlie: User
) -> None:
    User.objects.filter(pk=vera.pk).update(is_active=False)
    charlie.set_unusable_password()
    charlie.save(update_fields=["password"])
    said = set()
    for email in (bob.email, "nobody@example.org", vera.email, charlie.email):
        steps = []
        for door in (by_token, by_token, by_page, by_page, by_page, by_page, by_token):
            response = door(Client(), email, "wrong")
            text = response.json()["detail"] if door is by_token else response.context.get("warning", "")
            steps.append((response.status_code, text.partition(" for ")[0]))
        said.add(tuple(steps))
    assert len(said) == 1, said


def test_it_answers_programs_with_a_problem(client: Client, bob: User) -> None:
    response = try_wrongly(by_token, bob.email)
    problem = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert problem["title"] == "Too Many Requests"
    assert re.fullmatch(
        "Sign-in is locked for 1[45]\u202fmin.*. Five wrong tries for this email from this address.", problem["detail"]
    )
    assert problem["request_id"] == response["X-Request-ID"]


def test_it_tells_people_how_many_tries_are_left(client: Client, bob: User) -> None:
    said = [by_page(client, bob.email, "wrong").context["warning"] for _ in range(4)]
    assert said == [
        "Four more tries, then a lock of 15 minutes.",
        "Three more tries, then a lock of 15 minutes.",
        "Two more tries, then a lock of 15 minutes.",
        "One more try, then a lock of 15 minutes.",
    ]


def test_it_tells_people_how_long_and_until_when(client: Client, bob: User) -> None:
    page = try_wrongly(by_page, bob.email).content.decode()
    until = AccessAttempt.objects.get().attempt_time + timedelta(minutes=15)
    assert "Sign-in is locked for" in page
    assert f'It opens by itself at <time datetime="{until:%Y-%m-%dT%H:%M:%S}' in page
    assert f">{until:%H:%M:%S} UTC</time>" in page


def test_it_stores_no_password(client: Client, bob: User) -> None:
    by_page(client, bob.email, "a wrong secret")
    by_json(client, bob.email, "a wrong secret")
    for attempt in AccessAttempt.objects.values():
        assert "a wrong secret" not in str(attempt)


def test_it_sends_people_from_the_admin_to_the_one_sign_in_page(client: Client, bob: User) -> None:
    assert client.get("/admin/login/?next=/admin/plants/")["Location"] == "/login/?next=%2Fadmin%2Fplants%2F"
    response = client.post("/login/", {"username": bob.email, "password": PASSWORD, "next": "/admin/plants/"})
    assert response["Location"] == "/admin/plants/"


def test_it_tells_viewers_that_the_admin_is_not_theirs(client: Client, vera: User) -> None:
    client.force_login(vera)
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert "for admins and operators" in response.content.decode()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1\u202fs"), (59, "59\u202fs"), (60, "1\u202fmin"), (860, "14\u202fmin 20\u202fs"), (900, "15\u202fmin")],
)
def test_it_words_durations(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_it_sets_the_last_login_at_each_door(client: Client, bob: User, vera: User) -> None:
    by_token(client, bob.email, PASSWORD)
    by_page(client, vera.email, PASSWORD)
    for user in (bob, vera):
        user.refresh_from_db()
        assert user.last_login


def test_it_counts_guesses_of_the_current_password_in_the_admin(client: Client, bob: User) -> None:
    client.force_login(bob)
    form = {"old_password": "wrong", "new_password1": "staple staple staple", "new_password2": "staple staple staple"}
    statuses = [client.post("/admin/password_change/", form).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    response = client.post("/admin/password_change/", form | {"old_password": PASSWORD})
    assert response.status_code == 429
    assert 895 <= int(response["Retry-After"]) <= 900
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)


def test_it_refuses_guesses_in_the_admin_with_a_page_of_its_own(client: Client, bob: User) -> None:
    client.force_login(bob)
    for _ in range(5):
        response = client.post("/admin/password_change/", {"old_password": "wrong"})
    page = response.content.decode()
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert "Sign-in is locked for" in page
    assert "Five wrong tries for this email from this address. It opens by itself at <time" in page


def test_it_lets_the_admin_change_a_password_that_is_known(client: Client, bob: User) -> None:
    client.force_login(bob)
    form = {"old_password": PASSWORD, "new_password1": "staple staple staple", "new_password2": "staple staple staple"}
    assert client.post("/admin/password_change/", form)["Location"] == "/admin/password_change/done/"
    bob.refresh_from_db()
    assert bob.check_password("staple staple staple")
