from typing import Any

import pytest

from plants.models import Machine, Plant, Sensor, Zone
from plants.tests.conftest import ApiOf


@pytest.fixture(autouse=True)
def both_plants(kandy: Plant, rotterdam: Plant) -> None:
    """Filters have something to leave out."""


def slugs(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["slug"] for row in response.json()["results"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("plant=kandy", ["temp", "rpm", "state"]),
        ("zone=kandy/rolling", ["temp", "rpm", "state"]),
        ("machine=rotterdam/mixing/mixer-1", ["power"]),
        ("plant=kandy&plant=rotterdam", ["temp", "rpm", "state", "power"]),
        ("plant=kandy&machine=rotterdam/mixing/mixer-1", []),
        ("plant=nowhere", []),
        ("plant=kandy&kind=state", ["state"]),
        ("slug=temp", ["temp"]),
        ("unit=rpm", ["rpm"]),
        ("is_active=false", []),
        ("search=kandy/rolling", ["temp", "rpm", "state"]),
        ("search=mixer", ["power"]),
        ("search=TEMPER", ["temp"]),
        ("plant=kandy&ordering=name", ["rpm", "state", "temp"]),
        ("plant=kandy&ordering=-number", ["state", "rpm", "temp"]),
    ],
)
def test_it_filters_searches_and_orders_sensors(api_of: ApiOf, query: str, expected: list[str]) -> None:
    assert slugs(api_of("alice").get(f"/api/v1/sensors/?{query}")) == expected


def test_it_filters_by_id(api_of: ApiOf, kandy: Plant) -> None:
    zone, machine = Zone.objects.get(slug="rolling"), Machine.objects.get(slug="roller-2")
    alice = api_of("alice")
    assert slugs(alice.get(f"/api/v1/zones/?plant={kandy.id}")) == ["rolling"]
    assert slugs(alice.get(f"/api/v1/machines/?zone={zone.id}")) == ["roller-2"]
    assert slugs(alice.get(f"/api/v1/machines/?plant={kandy.id}")) == ["roller-2"]
    assert len(slugs(alice.get(f"/api/v1/sensors/?machine={machine.id}"))) == 3


def test_it_finds_nothing_in_a_foreign_plant(api_of: ApiOf) -> None:
    assert slugs(api_of("bob").get("/api/v1/sensors/?plant=rotterdam")) == []


@pytest.mark.parametrize("query", ["kind=banana", "number=x", "search=%00", "slug=%00", "type=a%00"])
def test_it_answers_bad_filters_with_a_problem(api_of: ApiOf, query: str) -> None:
    response = api_of("alice").get(f"/api/v1/sensors/?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_it_pages(api_of: ApiOf) -> None:
    alice = api_of("alice")
    first = alice.get("/api/v1/sensors/?page_size=3").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (4, 3, None)
    second = alice.get(first["next"]).json()
    assert (len(second["results"]), second["next"]) == (1, None)
    assert not {row["id"] for row in first["results"]} & {row["id"] for row in second["results"]}


@pytest.mark.parametrize("page", ["0", "3", "x", "99999999999999999999999"])
def test_it_answers_pages_that_are_not_there_with_404(api_of: ApiOf, page: str) -> None:
    assert api_of("alice").get(f"/api/v1/sensors/?page_size=3&page={page}").status_code == 404


def test_it_orders_ties_the_same_on_every_page(api_of: ApiOf) -> None:
    machine = Machine.objects.get(slug="roller-2")
    Sensor.objects.bulk_create(Sensor(machine=machine, slug=f"s{n}", name="Same") for n in range(60))
    alice = api_of("alice")
    seen = [
        row["id"]
        for page in range(1, 14)
        for row in alice.get(f"/api/v1/sensors/?ordering=name&page_size=5&page={page}").json()["results"]
    ]
    assert len(seen) == len(set(seen)) == 64


@pytest.mark.parametrize("kind", ["plants", "zones", "machines", "sensors"])
def test_it_takes_the_same_few_queries_for_a_few_rows_and_for_many(
    api_of: ApiOf, django_assert_num_queries: Any, kind: str
) -> None:
    bob = api_of("bob")
    with django_assert_num_queries(3):  # the token's user, the count, the rows
        bob.get(f"/api/v1/{kind}/")
    plant = Plant.objects.get(slug="kandy")
    for n in range(5):
        zone = Zone.objects.create(plant=plant, slug=f"z{n}", name="Zone")
        machine = Machine.objects.create(zone=zone, slug="m", name="Machine")
        Sensor.objects.create(machine=machine, slug="s", name="Sensor")
    with django_assert_num_queries(3):
        bob.get(f"/api/v1/{kind}/")
