import json
import time
from typing import Any

import pytest
from django.test import Client

from accounts.models import User

URL = "/api/v1/login/access-token"
PASSWORD = "correct horse battery"
FORM = "application/x-www-form-urlencoded"


def sign_in(client: Client, username: str, password: str) -> Any:
    return client.post(URL, {"username": username, "password": password})


def test_it_answers_a_form_with_a_bearer_token(client: Client, bob: User) -> None:
    body = "grant_type=password&username=bob%40example.org&password=correct+horse+battery&scope=&client_id=x"
    response = client.post(URL, body, content_type=FORM)
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert answer["token_type"] == "bearer"
    assert answer["expires_in"] == 30 * 60
    assert answer["user"] == {"id": str(bob.id), "email": "bob@example.org", "name": "Bob", "role": "operator"}
    assert response["Cache-Control"] == "no-store"


def test_it_gives_a_token_that_the_api_takes(client: Client, bob: User) -> None:
    token = sign_in(client, "bob@example.org", PASSWORD).json()["access_token"]
    me = client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["email"] == "bob@example.org"


def test_it_ignores_the_case_of_the_email_address(client: Client, bob: User) -> None:
    assert sign_in(client, "Bob@Example.ORG", PASSWORD).status_code == 200


def test_it_ignores_a_stale_token_in_the_header(client: Client, bob: User) -> None:
    response = client.post(
        URL,
        {"username": "bob@example.org", "password": PASSWORD},
        headers={"Authorization": "Bearer stale"},
    )
    assert response.status_code == 200


def test_it_says_the_same_whoever_is_unknown_inactive_or_mistaken(client: Client, bob: User, vera: User) -> None:
    User.objects.filter(pk=vera.pk).update(is_active=False)
    problems = []
    for username, password in [
        ("bob@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("vera@example.org", PASSWORD),
    ]:
        response = sign_in(client, username, password)
        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"
        problem = response.json()
        del problem["request_id"]
        problems.append(problem)
    assert problems[0]["detail"] == "The email address or the password is wrong."
    assert problems[0] == problems[1] == problems[2]


def test_it_spends_a_password_hash_also_on_the_unknown_and_the_inactive(client: Client, bob: User, vera: User) -> None:
    User.objects.filter(pk=vera.pk).update(is_active=False)
    times = {}
    for username in ("bob@example.org", "nobody@example.org", "vera@example.org"):
        started = time.process_time()
        sign_in(client, username, "wrong")
        times[username] = time.process_time() - started
    assert min(times.values()) > max(times.values()) / 3, times


@pytest.mark.parametrize("length", [73, 100, 1_000_000])
def test_it_survives_long_passwords(client: Client, bob: User, length: int) -> None:
    assert sign_in(client, "bob@example.org", "x" * length).status_code == 400


def test_it_tells_passwords_apart_beyond_the_72_bytes_that_bcrypt_reads(client: Client, bob: User) -> None:
    bob.set_password("é" * 50)
    bob.save(update_fields=["password"])
    assert sign_in(client, "bob@example.org", "é" * 50).status_code == 200
    assert sign_in(client, "bob@example.org", "é" * 49 + "e").status_code == 400


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"username": "bob@example.org"},
        {"password": PASSWORD},
        {"username": "bob\0@example.org", "password": PASSWORD},
        {"username": "bob@example.org", "password": "a\0b"},
        {"username": "x" * 10_000, "password": PASSWORD},
    ],
)
def test_it_answers_bad_forms_with_a_problem(client: Client, bob: User, form: dict[str, str]) -> None:
    response = client.post(URL, form)
    assert response.status_code == 400
    assert response.json()["detail"]


@pytest.mark.parametrize("body", ["", "[]", "null", "{", "1", '{"username": {}, "password": []}'])
def test_it_answers_bad_json_with_a_problem(client: Client, body: str) -> None:
    response = client.post(URL, body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_it_also_takes_json(client: Client, bob: User) -> None:
    body = json.dumps({"username": "bob@example.org", "password": PASSWORD})
    assert client.post(URL, body, content_type="application/json").status_code == 200
