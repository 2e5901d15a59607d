"""Lists: pages, filters, order and search, the same everywhere."""

import pytest
from django.test import Client

from accounts.models import User
from plants.models import Plant

LISTS = ["plants", "zones", "machines", "sensors", "users", "memberships"]


@pytest.fixture
def signed_in(client: Client, alice: User, vera: User, kandy: Plant, rotterdam: Plant) -> Client:
    client.force_login(alice)
    return client


@pytest.mark.parametrize("name", LISTS)
def test_it_refuses_an_order_that_does_not_exist(signed_in: Client, name: str) -> None:
    response = signed_in.get(f"/api/v1/{name}/", {"ordering": "password"})
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["field"] == "ordering"
    assert "choose from" in error["detail"]


@pytest.mark.parametrize("name", LISTS)
def test_it_pages_and_ignores_what_it_does_not_know(signed_in: Client, name: str) -> None:
    answer = signed_in.get(f"/api/v1/{name}/", {"page_size": "1", "unheard_of": "x"}).json()
    assert answer["count"] >= len(answer["results"]) == 1
    assert signed_in.get(f"/api/v1/{name}/", {"page": 999}).status_code == 404


@pytest.mark.parametrize("name", LISTS)
def test_it_searches(signed_in: Client, name: str) -> None:
    assert signed_in.get(f"/api/v1/{name}/", {"search": "nothing has this name"}).json()["count"] == 0


def test_it_orders_both_ways(signed_in: Client) -> None:
    def slugs(ordering: str) -> list[str]:
        answer = signed_in.get("/api/v1/plants/", {"ordering": ordering}).json()
        return [plant["slug"] for plant in answer["results"]]

    assert slugs("slug") == ["kandy", "rotterdam"]
    assert slugs("-slug") == ["rotterdam", "kandy"]


@pytest.mark.parametrize("query", ["sensors/?kind=nonsense", "sensors/?number=x", "sensors/?is_active=perhaps"])
def test_it_refuses_values_of_filters_that_make_no_sense(signed_in: Client, query: str) -> None:
    assert signed_in.get(f"/api/v1/{query}").status_code == 400
