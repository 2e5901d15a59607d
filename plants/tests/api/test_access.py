"""Who may do what to the rows of kandy, over REST: the access matrix."""

from typing import Any

import pytest

from accounts.models import User
from plants.models import Machine, Plant, Sensor, Zone
from plants.tests.conftest import ApiOf

PERSONAS = ["alice", "bob", "vera", "charlie", "anonymous"]
NEW = {
    "plants": lambda: {"slug": "new", "name": "New"},
    "zones": lambda: {"plant": Plant.objects.get(slug="kandy").id, "slug": "new", "name": "New"},
    "machines": lambda: {"zone": Zone.objects.get(slug="rolling").id, "slug": "new", "name": "New"},
    "sensors": lambda: {"machine": Machine.objects.get(slug="roller-2").id, "slug": "new", "name": "New"},
}
MODELS: dict[str, Any] = {"plants": Plant, "zones": Zone, "machines": Machine, "sensors": Sensor}
OLD = {"plants": "kandy", "zones": "rolling", "machines": "roller-2", "sensors": "temp"}
KINDS = list(NEW)


def per_persona(*outcomes: Any) -> list[tuple[str, Any]]:
    return list(zip(PERSONAS, outcomes, strict=True))


def url_of(kind: str) -> str:
    return f"/api/v1/{kind}/{MODELS[kind].objects.get(slug=OLD[kind]).id}/"


@pytest.fixture(autouse=True)
def both_plants(kandy: Plant, rotterdam: Plant) -> None:
    """Every request is made while there is something to see and something to hide."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("persona", "status"), per_persona(200, 200, 200, 404, 401))
def test_it_reads_one(api_of: ApiOf, kind: str, persona: str, status: int) -> None:
    assert api_of(persona).get(url_of(kind)).status_code == status


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("persona", "sees"), per_persona(True, True, True, False, None))
def test_it_lists(api_of: ApiOf, kind: str, persona: str, sees: bool | None) -> None:
    response = api_of(persona).get(f"/api/v1/{kind}/")
    if sees is None:
        assert response.status_code == 401
    else:
        assert (OLD[kind] in {row["slug"] for row in response.json()["results"]}) is sees


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("persona", PERSONAS)
def test_it_creates(api_of: ApiOf, kind: str, persona: str) -> None:
    may = {"alice": 201, "bob": 403 if kind == "plants" else 201, "vera": 403, "anonymous": 401}
    may["charlie"] = 403 if kind == "plants" else 400  # to him the parent does not exist
    response = api_of(persona).post(f"/api/v1/{kind}/", NEW[kind]())
    assert response.status_code == may[persona]
    assert MODELS[kind].objects.filter(slug="new").exists() is (may[persona] == 201)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("persona", "status"), per_persona(200, 200, 403, 404, 401))
def test_it_changes(api_of: ApiOf, kind: str, persona: str, status: int) -> None:
    assert api_of(persona).patch(url_of(kind), {"name": "Changed"}).status_code == status
    assert MODELS[kind].objects.filter(name="Changed").exists() is (status == 200)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("persona", PERSONAS)
def test_it_deletes(api_of: ApiOf, kind: str, persona: str) -> None:
    may = {"alice": 204, "bob": 204, "vera": 403, "charlie": 404, "anonymous": 401}
    if kind == "plants":
        may |= {"bob": 403, "charlie": 403}
    assert api_of(persona).delete(url_of(kind)).status_code == may[persona]
    assert MODELS[kind].objects.filter(slug=OLD[kind]).exists() is (may[persona] != 204)


@pytest.mark.parametrize(("kind", "parent"), [("zones", "plant"), ("machines", "zone"), ("sensors", "machine")])
def test_it_does_not_move_rows_into_a_foreign_plant(api_of: ApiOf, kind: str, parent: str) -> None:
    foreign = MODELS[f"{parent}s"].objects.exclude(slug__in=OLD.values()).get()
    response = api_of("bob").patch(url_of(kind), {parent: str(foreign.id)})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["field"], error["code"]) == (parent, "does_not_exist")
    unknown = api_of("bob").patch(url_of(kind), {parent: "00000000-0000-0000-0000-000000000000"})
    assert unknown.json()["errors"][0]["detail"].replace("00000000-0000-0000-0000-000000000000", "") == error[
        "detail"
    ].replace(str(foreign.id), "")


@pytest.mark.parametrize("change", [{"slug": "other"}, {"owner": None}])
def test_it_leaves_slug_and_owner_of_a_plant_to_admins(api_of: ApiOf, kandy: Plant, alice: User, change: dict) -> None:
    Plant.objects.filter(pk=kandy.pk).update(owner=alice)
    response = api_of("bob").patch(url_of("plants"), change)
    assert response.status_code == 400
    assert response.json()["errors"][0]["detail"] == "Only an admin may change this."
    assert api_of("alice").patch(url_of("plants"), change).status_code == 200


def test_it_lets_an_operator_repeat_what_they_may_not_change(api_of: ApiOf, kandy: Plant, alice: User) -> None:
    Plant.objects.filter(pk=kandy.pk).update(owner=alice)
    sent = {"name": "Kandy Tea", "timezone": "UTC", "location": "Hill", "on_unknown": "create"}
    plant = api_of("bob").get(url_of("plants")).json() | sent
    assert api_of("bob").put(url_of("plants"), plant).status_code == 200
    kandy.refresh_from_db()
    assert {name: getattr(kandy, name) for name in sent} == sent


def test_it_tells_an_operator_no_slug_of_a_foreign_plant(api_of: ApiOf) -> None:
    taken, free = (api_of("bob").patch(url_of("plants"), {"slug": slug}) for slug in ("rotterdam", "nowhere"))
    assert taken.status_code == free.status_code == 400
    assert taken.json()["errors"] == free.json()["errors"]
    (error,) = api_of("alice").patch(url_of("plants"), {"slug": "rotterdam"}).json()["errors"]
    assert error["code"] == "unique"


@pytest.mark.parametrize("kind", KINDS)
def test_it_offers_nothing_foreign_in_the_browsable_api(api_of: ApiOf, kind: str) -> None:
    for path in (f"/api/v1/{kind}/", url_of(kind)):
        page = api_of("bob").get(path, HTTP_ACCEPT="text/html").content.decode().lower()
        assert "kandy" in page or OLD[kind] in page
        for foreign in ("rotterdam", "mixing", "mixer", "power"):
            assert foreign not in page


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("zones", "plant=rotterdam"),
        ("machines", "zone=rotterdam/mixing"),
        ("sensors", "machine=rotterdam/mixing/mixer-1"),
        ("sensors", "search=rotterdam"),
        ("sensors", "search=mixer"),
        ("plants", "search=rotterdam"),
        ("plants", "slug=rotterdam"),
    ],
)
def test_it_counts_nothing_foreign(api_of: ApiOf, kind: str, query: str) -> None:
    assert api_of("bob").get(f"/api/v1/{kind}/?{query}").json()["count"] == 0
    assert api_of("alice").get(f"/api/v1/{kind}/?{query}").json()["count"] == 1
