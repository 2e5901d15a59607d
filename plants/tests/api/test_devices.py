from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import User
from plants.models import Plant
from plants.models.devices import Device, hashed
from plants.tests.conftest import ApiOf

URL = "/api/v1/devices/"


@pytest.fixture
def owner(kandy: Plant, rotterdam: Plant, bob: User) -> User:
    """Bob, who owns kandy."""
    Plant.objects.filter(pk=kandy.pk).update(owner=bob)
    return bob


@pytest.fixture
def devices(kandy: Plant, rotterdam: Plant) -> dict[str, Device]:
    return {
        plant.slug: Device.objects.create(plant=plant, name="gateway", secret_hash=hashed("secret"))
        for plant in (kandy, rotterdam)
    }


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [str(row["plant"]) for row in response.json()["results"]]


@pytest.mark.parametrize("persona", ["alice", "bob"])
def test_it_gives_a_new_device_its_secret_once(api_of: ApiOf, owner: User, kandy: Plant, persona: str) -> None:
    api = api_of(persona)
    response = api.post(URL, {"plant": str(kandy.pk), "name": "plc-7", "prefix": "rolling"})
    assert response.status_code == 201, response.content
    assert response["Cache-Control"] == "no-store"
    made = response.json()
    assert Device.objects.authenticate(made["id"], made["secret"]) is not None
    again = api.get(f"{URL}{made['id']}/").json()
    assert again == {name: value for name, value in made.items() if name != "secret"}
    assert not {name for name in again if "secret" in name}


def test_it_lists_those_of_their_plants_to_an_owner(api_of: ApiOf, owner: User, devices: dict[str, Device]) -> None:
    assert names(api_of(owner).get(URL)) == [str(devices["kandy"].plant_id)]
    assert len(names(api_of("alice").get(URL))) == 2


def test_it_filters_by_whether_they_are_revoked(api_of: ApiOf, alice: User, devices: dict[str, Device]) -> None:
    devices["kandy"].revoke()
    api = api_of(alice)
    assert names(api.get(f"{URL}?revoked=true")) == [str(devices["kandy"].plant_id)]
    assert names(api.get(f"{URL}?revoked=false")) == [str(devices["rotterdam"].plant_id)]


def test_it_rotates(api_of: ApiOf, owner: User, devices: dict[str, Device]) -> None:
    response = api_of(owner).post(f"{URL}{devices['kandy'].pk}/rotate/")
    assert response.status_code == 200, response.content
    until = Device.objects.get(pk=devices["kandy"].pk).previous_valid_until
    assert until is not None
    assert timedelta(minutes=59) < until - now() <= timedelta(minutes=60)
    assert response.json()["username"] == "kandy/gateway.2"
    for secret in ("secret", response.json()["secret"]):
        assert Device.objects.authenticate("kandy/gateway", secret) is not None


def test_it_says_how_the_broker_knows_a_device(
    api_of: ApiOf, settings: Any, owner: User, devices: dict[str, Device]
) -> None:
    url = f"{URL}{devices['kandy'].pk}/"
    states = [api_of(owner).get(url).json()["broker_state"]]
    settings.MQTT_ADMIN_URL = "mqtt://admin@localhost"
    states.append(api_of(owner).get(url).json()["broker_state"])
    states.append(api_of(owner).post(f"{url}rotate/").json()["broker_state"])
    assert states == ["not_managed", "needs_rotation", "waiting"]


def test_it_revokes_for_good(api_of: ApiOf, owner: User, devices: dict[str, Device]) -> None:
    api = api_of(owner)
    url = f"{URL}{devices['kandy'].pk}/"
    assert api.post(f"{url}revoke/").json()["revoked_at"] is not None
    assert Device.objects.authenticate("kandy/gateway", "secret") is None
    response = api.post(f"{url}rotate/")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "revoked")


def test_it_names_a_device_once_in_a_plant(api_of: ApiOf, owner: User, devices: dict[str, Device]) -> None:
    response = api_of(owner).post(URL, {"plant": str(devices["kandy"].plant_id), "name": "gateway"})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["field"], error["code"]) == (400, "name", "unique")


def test_it_takes_a_zone_or_a_machine_for_a_prefix(api_of: ApiOf, owner: User, kandy: Plant) -> None:
    response = api_of(owner).post(URL, {"plant": str(kandy.pk), "name": "new", "prefix": "a/b/c"})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["field"]) == (400, "prefix")


def test_it_does_not_let_an_owner_choose_for_another_plant_they_see(
    api_of: ApiOf, owner: User, charlie: User, rotterdam: Plant
) -> None:
    assert api_of(owner).post(URL, {"plant": str(rotterdam.pk), "name": "new"}).status_code == 400
    rotterdam.members.add(owner)
    assert api_of(owner).post(URL, {"plant": str(rotterdam.pk), "name": "new"}).status_code == 403
