"""Lists: pages, filters, order and search, the same everywhere."""

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.models import User
from alarms.models import Actor, Decision, Source
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor
from plants.models.devices import Device, hashed
from telemetry.models import DiscoveredSensor
from telemetry.tests.letters import make_letter

DESCRIPTION = SchemaGenerator().get_schema(request=None, public=True)
# Not lists of rows: they give all that is asked for by name.
BY_NAME = {"telemetry/latest", "telemetry/history"}


def answer_of(operation: Any) -> Any:
    """The schema of what a GET answers with."""
    schema = operation["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
    return DESCRIPTION["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)


def lists() -> dict[str, Any]:
    """Whatever OpenAPI says to give several rows: the path below the API's, and the operation."""
    operations = {
        path.removeprefix("/api/v1/"): item["get"] for path, item in DESCRIPTION["paths"].items() if "get" in item
    }
    return {
        path: operation
        for path, operation in operations.items()
        if answer_of(operation).get("type") == "array" or "results" in answer_of(operation).get("properties", {})
    }


# What belongs to one row, such as an alarm's journal, comes in the one order that it has.
PAGED = sorted(path for path in set(lists()) - BY_NAME if "{" not in path)
LISTS = [path.rstrip("/") for path in PAGED if "count" in answer_of(lists()[path])["properties"]]


def test_it_knows_the_lists() -> None:
    assert set(lists()) > BY_NAME
    assert set(LISTS) >= {"plants", "zones", "machines", "sensors", "users", "memberships"}
    assert "audit/" in PAGED


@pytest.mark.parametrize("path", PAGED)
def test_it_offers_pages_search_order_and_filters(path: str) -> None:
    offered = {parameter["name"] for parameter in lists()[path]["parameters"]}
    assert {"page_size", "search", "ordering"} <= offered
    assert offered & {"page", "cursor"}
    assert offered - {"page", "cursor", "page_size", "search", "ordering", "format"}


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize(("name", "value"), [("page_size", "many"), ("page_size", "0"), ("ordering", "password")])
def test_it_refuses_what_makes_no_sense(signed_in: Client, path: str, name: str, value: str) -> None:
    response = signed_in.get(f"/api/v1/{path}", {name: value})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == name


@pytest.fixture
def signed_in(client: Client, alice: User, vera: User, kandy: Plant, rotterdam: Plant) -> Client:
    Device.objects.create(plant=kandy, name="gateway", secret_hash=hashed("secret"))
    make_letter(None, b"?", reason="invalid_json")
    DiscoveredSensor.objects.create(
        plant=kandy, address="kandy/a/b/c", first_seen=kandy.created_at, last_seen=kandy.created_at
    )
    alarm = make_alarm(Sensor.objects.get(slug="temp"))
    Decision.objects.record(Actor(alice, Source.API), alarm=alarm, action="defer", reason="It waits.")
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
