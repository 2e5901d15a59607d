from typing import Any

import pytest

from accounts.models import User
from plants.models import Membership, Plant
from plants.tests.conftest import ApiOf

URL = "/api/v1/memberships/"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def owner(kandy: Plant, rotterdam: Plant, bob: User) -> User:
    """Bob, who owns kandy."""
    Plant.objects.filter(pk=kandy.pk).update(owner=bob)
    return bob


def emails(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["user"]["email"] for row in response.json()["results"]]


def error(response: Any) -> tuple[str, str]:
    assert response.status_code == 400, response.content
    (only,) = response.json()["errors"]
    return only["field"], only["code"]


def test_it_lists_all_to_an_admin(api_of: ApiOf, owner: User, vera: User, charlie: User) -> None:
    assert emails(api_of("alice").get(URL)) == ["bob@example.org", "vera@example.org", "charlie@example.org"]


def test_it_lists_those_of_their_plants_to_an_owner(api_of: ApiOf, owner: User, vera: User, charlie: User) -> None:
    response = api_of(owner).get(URL)
    assert emails(response) == ["bob@example.org", "vera@example.org"]
    assert response.json()["count"] == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("plant=kandy", ["bob", "vera"]),
        ("plant=rotterdam", []),
        ("plant=nowhere", []),
        ("search=VERA", ["vera"]),
        ("search=charlie", []),
        ("search=rotterdam", []),
        (f"user={NOBODY}", []),
        ("ordering=-created_at", ["vera", "bob"]),
    ],
)
def test_it_filters_searches_and_orders(
    api_of: ApiOf, owner: User, vera: User, charlie: User, query: str, expected: list[str]
) -> None:
    assert emails(api_of(owner).get(f"{URL}?{query}")) == [f"{name}@example.org" for name in expected]


def test_it_does_not_tell_an_owner_whether_a_user_exists_by_the_filter(
    api_of: ApiOf, owner: User, charlie: User
) -> None:
    assert emails(api_of(owner).get(f"{URL}?user={charlie.id}")) == []


@pytest.mark.parametrize("persona", ["vera", "charlie"])
def test_it_is_closed_to_plain_members(api_of: ApiOf, owner: User, persona: str) -> None:
    membership = Membership.objects.get(user=owner)
    client = api_of(persona)
    for response in (client.get(URL), client.get(f"{URL}{membership.id}/"), client.delete(f"{URL}{membership.id}/")):
        assert response.status_code == 403
    assert client.post(URL, {"plant": str(membership.plant_id), "email": "x@example.org"}).status_code == 403


def test_it_hides_foreign_memberships_from_an_owner(api_of: ApiOf, owner: User, charlie: User) -> None:
    url = f"{URL}{Membership.objects.get(user=charlie).id}/"
    assert api_of(owner).get(url).status_code == 404
    assert api_of(owner).delete(url).status_code == 404
    assert Membership.objects.filter(user=charlie).exists()


@pytest.mark.parametrize("persona", ["alice", "bob"])
def test_it_adds_a_member_by_email(api_of: ApiOf, owner: User, kandy: Plant, charlie: User, persona: str) -> None:
    response = api_of(persona).post(URL, {"plant": str(kandy.id), "email": "Charlie@Example.org"})
    assert response.status_code == 201, response.content
    assert response.json()["user"] == {
        "id": str(charlie.id),
        "email": "charlie@example.org",
        "name": "Charlie",
        "role": "operator",
    }
    assert Plant.objects.visible_to(charlie).contains(kandy)


def test_it_answers_an_unknown_and_an_inactive_email_alike(
    api_of: ApiOf, owner: User, kandy: Plant, charlie: User
) -> None:
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    problems = [
        api_of(owner).post(URL, {"plant": str(kandy.id), "email": email}).json()["errors"]
        for email in ("charlie@example.org", "nobody@example.org")
    ]
    assert problems[0] == problems[1]
    assert problems[0][0]["field"] == "email"


def test_it_answers_an_owner_alike_for_the_id_of_a_stranger_and_of_nobody(
    api_of: ApiOf, owner: User, kandy: Plant, charlie: User
) -> None:
    details = []
    for user_id in (str(charlie.id), NOBODY):
        response = api_of(owner).post(URL, {"plant": str(kandy.id), "user": user_id})
        assert error(response) == ("user", "does_not_exist")
        details.append(response.json()["detail"].replace(user_id, ""))
    assert details[0] == details[1]
    assert api_of("alice").post(URL, {"plant": str(kandy.id), "user": str(charlie.id)}).status_code == 201


def test_it_answers_alike_for_a_foreign_plant_and_none(
    api_of: ApiOf, owner: User, rotterdam: Plant, vera: User
) -> None:
    for plant in (str(rotterdam.id), NOBODY):
        response = api_of(owner).post(URL, {"plant": plant, "email": "vera@example.org"})
        assert error(response) == ("plant", "does_not_exist")


def test_it_does_not_let_the_owner_of_one_plant_choose_for_another_they_see(
    api_of: ApiOf, owner: User, rotterdam: Plant, vera: User
) -> None:
    mine = Membership.objects.create(plant=rotterdam, user=owner)
    response = api_of(owner).post(URL, {"plant": str(rotterdam.id), "email": "vera@example.org"})
    assert response.status_code == 403
    assert api_of(owner).delete(f"{URL}{mine.id}/").status_code == 404


@pytest.mark.parametrize("body", [{}, {"user": NOBODY, "email": "vera@example.org"}])
def test_it_wants_one_name_for_the_user(
    api_of: ApiOf, kandy: Plant, vera: User, alice: User, body: dict[str, str]
) -> None:
    body = {name: str(vera.id) if value == NOBODY else value for name, value in body.items()}
    assert error(api_of(alice).post(URL, body | {"plant": str(kandy.id)})) == ("user", "one_name")


def test_it_adds_a_member_once(api_of: ApiOf, kandy: Plant, vera: User) -> None:
    response = api_of("alice").post(URL, {"plant": str(kandy.id), "user": str(vera.id)})
    assert error(response) == ("user", "unique")


def test_it_answers_the_loser_of_a_race(
    api_of: ApiOf, kandy: Plant, vera: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first validation is blinded, as if the other request had not committed yet."""
    alice = api_of("alice")
    original = Membership.validate_constraints
    calls = []

    def validate_constraints(membership: Membership, exclude: Any = None) -> None:
        calls.append(membership)
        if len(calls) > 1:
            original(membership, exclude)

    monkeypatch.setattr(Membership, "validate_constraints", validate_constraints)
    response = alice.post(URL, {"plant": str(kandy.id), "user": str(vera.id)})
    assert error(response) == ("user", "unique")
    assert len(calls) == 2


def test_it_removes_a_member(api_of: ApiOf, owner: User, kandy: Plant, vera: User) -> None:
    url = f"{URL}{Membership.objects.get(user=vera).id}/"
    assert api_of(owner).delete(url).status_code == 204
    assert not Plant.objects.visible_to(vera).exists()
    assert api_of(owner).get(url).status_code == 404


@pytest.mark.parametrize("persona", ["alice", "bob"])
def test_it_keeps_the_owner_a_member(api_of: ApiOf, owner: User, persona: str) -> None:
    url = f"{URL}{Membership.objects.get(user=owner).id}/"
    response = api_of(persona).delete(url)
    assert response.status_code == 400
    assert "owner" in response.json()["detail"]


def test_it_changes_no_membership(api_of: ApiOf, owner: User, vera: User) -> None:
    url = f"{URL}{Membership.objects.get(user=vera).id}/"
    assert api_of(owner).patch(url, {"email": "charlie@example.org"}).status_code == 405


def test_it_offers_no_strangers_in_the_browsable_api(api_of: ApiOf, owner: User, vera: User, charlie: User) -> None:
    page = api_of(owner).get(URL, HTTP_ACCEPT="text/html").content.decode()
    assert "Vera" in page
    for hidden in ("Charlie", "charlie@example.org", "Rotterdam"):
        assert hidden not in page
