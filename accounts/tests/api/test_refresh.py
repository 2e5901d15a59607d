"""Exchanging refresh tokens, and signing out."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils.timezone import now

from accounts.models import TokenFamily, User
from accounts.tokens import Pair, sign_in

REFRESH = "/api/v1/login/refresh"
LOGOUT = "/api/v1/logout"
ME = "/api/v1/users/me"
KEY = settings.JWT_SIGNING_KEY
REFUSED = "The refresh token is invalid, has expired, or was used before: sign in again."


@pytest.fixture
def pair(bob: User) -> Pair:
    return sign_in(bob)


def send(client: Client, url: str, token: Any) -> Any:
    return client.post(url, {"refresh_token": token}, content_type="application/json")


def status_of(client: Client, access: str) -> int:
    return client.get(ME, headers={"Authorization": f"Bearer {access}"}).status_code


def assert_refused(response: Any) -> None:
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"] == 'Bearer realm="inqube", error="invalid_token"'
    assert response.json()["detail"] == REFUSED


def changed(token: str, **changes: Any) -> str:
    payload = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(payload | changes, KEY, algorithm="HS256")


def test_it_answers_a_sign_in_with_a_token_for_the_next_pair(client: Client, bob: User) -> None:
    form = {"username": bob.email, "password": "correct horse battery"}
    first = client.post("/api/v1/login/access-token", form, headers={"User-Agent": "x" * 300}).json()

    response = send(client, REFRESH, first["refresh_token"])

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    second = response.json()
    assert set(second) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (second["token_type"], second["expires_in"]) == ("bearer", 30 * 60)
    assert second["refresh_token"] != first["refresh_token"]
    for tokens in (first, second):
        assert status_of(client, tokens["access_token"]) == 200
    family = bob.token_families.get()
    assert (family.address, family.user_agent) == ("127.0.0.1", "x" * 200)


def test_it_goes_on_for_days_from_the_last_exchange(client: Client, pair: Pair) -> None:
    TokenFamily.objects.update(expires_at=now() + timedelta(minutes=1))
    token = send(client, REFRESH, pair.refresh).json()["refresh_token"]
    expires = datetime.fromtimestamp(jwt.decode(token, options={"verify_signature": False})["exp"], UTC)
    assert abs(expires - now() - timedelta(days=7)) < timedelta(seconds=5)
    assert abs(TokenFamily.objects.get().expires_at - expires) < timedelta(seconds=5)


def test_it_ends_the_family_when_a_used_token_comes_again(client: Client, pair: Pair) -> None:
    second = send(client, REFRESH, pair.refresh).json()
    assert_refused(send(client, REFRESH, pair.refresh))
    assert_refused(send(client, REFRESH, second["refresh_token"]))
    assert status_of(client, second["access_token"]) == 401
    assert status_of(client, pair.access) == 401


def test_it_leaves_other_sign_ins_of_the_user_alone(client: Client, bob: User, pair: Pair) -> None:
    other = sign_in(bob)
    send(client, REFRESH, pair.refresh)
    assert_refused(send(client, REFRESH, pair.refresh))
    assert status_of(client, other.access) == 200
    assert send(client, REFRESH, other.refresh).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_700_000_000},
        {"iss": "other"},
        {"aud": "other"},
        {"typ": "access"},
        {"typ": None},
        {"fam": "00000000-0000-0000-0000-000000000000"},
        {"fam": ["x"]},
        {"sub": "00000000-0000-0000-0000-000000000000"},
        {"sub": 7},
    ],
)
@pytest.mark.parametrize("url", [REFRESH, LOGOUT])
def test_it_refuses_a_token_with_another_claim(client: Client, pair: Pair, url: str, changes: dict[str, Any]) -> None:
    response = send(client, url, changed(pair.refresh, **changes))
    if url == LOGOUT and {"fam", "sub"} & set(changes):
        assert response.status_code in (204, 401)  # genuine, but of nobody: there is nothing to end
    else:
        assert_refused(response)
    assert send(client, REFRESH, pair.refresh).status_code == 200  # and it has ended nothing


def test_it_refuses_an_access_token(client: Client, pair: Pair) -> None:
    assert_refused(send(client, REFRESH, pair.access))
    assert_refused(send(client, LOGOUT, pair.access))


def test_it_refuses_an_unsigned_token(client: Client, pair: Pair) -> None:
    payload = jwt.decode(pair.refresh, options={"verify_signature": False})
    assert_refused(send(client, REFRESH, jwt.encode(payload, "", algorithm="none")))
    head, body, _ = pair.refresh.split(".")
    assert_refused(send(client, REFRESH, f"{head}.{body}."))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize(("key", "algorithm"), [("x" * 64, "HS256"), (KEY, "HS512"), (settings.SECRET_KEY, "HS256")])
def test_it_refuses_another_key_or_algorithm(client: Client, pair: Pair, key: str, algorithm: str) -> None:
    payload = jwt.decode(pair.refresh, options={"verify_signature": False})
    assert_refused(send(client, REFRESH, jwt.encode(payload, key, algorithm=algorithm)))


@pytest.mark.parametrize("token", ["x", "a.b.c", "é.é.é", 7, "." * 1999])
def test_it_refuses_what_is_no_token(client: Client, db: None, token: Any) -> None:
    assert_refused(send(client, REFRESH, token))


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"refresh_token": null}', '{"refresh_token": {}}'])
@pytest.mark.parametrize("url", [REFRESH, LOGOUT])
def test_it_answers_a_body_without_a_token_with_a_problem(client: Client, db: None, url: str, body: str) -> None:
    response = client.post(url, body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("end", ["deleted", "inactive", "expired"])
def test_it_refuses_when_the_user_or_the_time_is_over(client: Client, bob: User, pair: Pair, end: str) -> None:
    if end == "deleted":
        bob.delete()
    elif end == "inactive":
        User.objects.filter(pk=bob.pk).update(is_active=False)
    else:
        TokenFamily.objects.update(expires_at=now())
    assert_refused(send(client, REFRESH, pair.refresh))
    assert status_of(client, pair.access) == 401


def test_it_signs_out(client: Client, pair: Pair) -> None:
    response = send(client, LOGOUT, pair.refresh)
    assert (response.status_code, response.content) == (204, b"")
    assert status_of(client, pair.access) == 401
    assert_refused(send(client, REFRESH, pair.refresh))
    assert send(client, LOGOUT, pair.refresh).status_code == 204  # once more changes nothing


def test_it_signs_out_by_a_token_that_was_exchanged_since(client: Client, pair: Pair) -> None:
    second = send(client, REFRESH, pair.refresh).json()
    assert send(client, LOGOUT, pair.refresh).status_code == 204
    assert status_of(client, second["access_token"]) == 401


def test_it_clears_away_what_expired_when_the_user_signs_in(bob: User, vera: User, pair: Pair) -> None:
    foreign = TokenFamily.begin(vera, None, "")
    TokenFamily.objects.update(expires_at=now())
    sign_in(bob)
    assert bob.token_families.count() == 1
    assert TokenFamily.objects.filter(pk=foreign.pk).exists()


class Racers:
    """Requests that exchange one token at the same time, each in a thread with a connection of its own."""

    def __init__(self, token: str, count: int) -> None:
        self.token = token
        self.answers: list[Any] = []
        self.threads = [threading.Thread(target=self.run) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self) -> None:
        try:
            self.answers.append(send(Client(), REFRESH, self.token))
        finally:
            connection.close()

    def waiting_for_the_row(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees the activity of its first look
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return int(cursor.fetchone()[0])

    def finish(self) -> list[Any]:
        for thread in self.threads:
            thread.join(20)
        return sorted(self.answers, key=lambda answer: answer.status_code)


@pytest.mark.django_db(transaction=True)
def test_it_gives_one_of_many_at_the_same_time_the_next_pair(client: Client, bob: User) -> None:
    pair = sign_in(bob)
    with transaction.atomic():
        TokenFamily.objects.select_for_update().get()  # so that all have looked before the first may write
        racers = Racers(pair.refresh, 4)
        deadline = time.monotonic() + 20
        while racers.waiting_for_the_row() < 4:
            assert time.monotonic() < deadline, "they did not all come"
            time.sleep(0.02)

    won, *lost = racers.finish()

    assert won.status_code == 200
    assert len(lost) == 3
    for answer in lost:
        assert_refused(answer)
    assert status_of(client, won.json()["access_token"]) == 200  # who asked in the same moment is no thief
    assert send(client, REFRESH, won.json()["refresh_token"]).status_code == 200
    assert_refused(send(client, REFRESH, pair.refresh))  # but who asks later is
    assert status_of(client, won.json()["access_token"]) == 401
