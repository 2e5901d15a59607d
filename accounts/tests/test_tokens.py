from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now

from accounts.models import TokenFamily, User
from accounts.tokens import InvalidAccessTokenError, issue_access_token, sign_in, user_of_token

KEY = settings.JWT_SIGNING_KEY


def claims(user: User, **changes: Any) -> dict[str, Any]:
    issued = int(now().timestamp())
    return {
        "typ": "access",
        "sub": str(user.id),
        "fam": TokenFamily.begin(user, None, "").id.hex,
        "iss": "inqube",
        "aud": "inqube",
        "iat": issued,
        "exp": issued + 60,
        "jti": "1",
    } | changes


def test_it_names_the_user_and_the_end(bob: User) -> None:
    user, expires_at, family_id = user_of_token(issue_access_token(bob))
    assert family_id == bob.token_families.get().id
    assert user == bob
    assert expires_at.tzinfo is UTC
    assert abs(expires_at - now() - timedelta(minutes=30)) < timedelta(seconds=5)


def test_it_carries_no_more_than_it_needs(bob: User) -> None:
    payload = jwt.decode(issue_access_token(bob), KEY, algorithms=["HS256"], audience="inqube")
    assert set(payload) == {"typ", "sub", "fam", "iss", "aud", "iat", "exp", "jti"}


def test_it_takes_one_query(bob: User, django_assert_num_queries: Any) -> None:
    token = issue_access_token(bob)
    with django_assert_num_queries(1):
        user_of_token(token)


def test_it_takes_what_the_refused_tokens_below_differ_from(bob: User) -> None:
    assert user_of_token(jwt.encode(claims(bob), KEY, algorithm="HS256"))[0] == bob


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_700_000_000},
        {"iss": "other"},
        {"aud": "other"},
        {"typ": "refresh"},
        {"fam": "00000000-0000-0000-0000-000000000000"},
        {"fam": None},
        {"fam": 1},
        {"sub": "00000000-0000-0000-0000-000000000000"},
        {"sub": "bob@example.org"},
        {"iat": int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())},
    ],
)
def test_it_refuses_a_token_with_another_claim(bob: User, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(jwt.encode(claims(bob, **changes), KEY, algorithm="HS256"))


def test_it_refuses_a_token_that_names_the_family_of_somebody_else(bob: User, vera: User) -> None:
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(jwt.encode(claims(bob, sub=str(vera.id)), KEY, algorithm="HS256"))


def test_it_refuses_a_refresh_token_as_access_token(bob: User) -> None:
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(sign_in(bob).refresh)


@pytest.mark.parametrize("claim", ["exp", "iss", "aud", "typ", "fam", "sub"])
def test_it_refuses_a_token_without_a_claim(bob: User, claim: str) -> None:
    payload = claims(bob)
    del payload[claim]
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(jwt.encode(payload, KEY, algorithm="HS256"))


def test_it_refuses_an_unsigned_token(bob: User) -> None:
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(jwt.encode(claims(bob), "", algorithm="none"))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize(("key", "algorithm"), [("x" * 64, "HS256"), (KEY, "HS512")])
def test_it_refuses_another_key_or_algorithm(bob: User, key: str, algorithm: str) -> None:
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(jwt.encode(claims(bob), key, algorithm=algorithm))


@pytest.mark.parametrize("raw", ["", "x", "a.b.c", "é.é.é", "\0", "." * 10_000])
def test_it_refuses_what_is_no_token(db: None, raw: str) -> None:
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(raw)


def test_it_refuses_every_older_token_once_access_has_ended(bob: User) -> None:
    old = issue_access_token(bob)
    bob.end_access()
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(old)
    assert user_of_token(issue_access_token(bob))[0] == bob


def test_it_refuses_the_token_of_a_user_who_became_inactive(bob: User) -> None:
    token = issue_access_token(bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    with pytest.raises(InvalidAccessTokenError):
        user_of_token(token)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_it_takes_the_scheme_in_any_case(client: Client, bob: User, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {issue_access_token(bob)}"}
    assert client.get("/api/v1/users/me", headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "bearer é", "Bearer x.y.z"])
def test_it_answers_a_bad_token_with_401_and_a_challenge(client: Client, db: None, header: str) -> None:
    response = client.get("/api/v1/users/me", headers={"Authorization": header})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="inqube", error="invalid_token"'
    assert response.json()["detail"] == "The access token is invalid or has expired."
