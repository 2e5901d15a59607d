import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from plants.models import Machine, Membership, Plant, Sensor, Zone

ADMIN = "/admin/plants"


@pytest.fixture(autouse=True)
def both_plants(kandy: Plant, rotterdam: Plant) -> None:
    """There is something to see and something to hide."""


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def as_bob(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def page(client: Client, path: str, **query: str) -> str:
    response = client.get(f"{ADMIN}/{path}", query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("model", ["plant", "zone", "machine", "sensor"])
def test_it_lists_all_to_an_admin(as_alice: Client, model: str) -> None:
    text = page(as_alice, f"{model}/")
    assert "Rotterdam" in text
    assert "Kandy" in text


@pytest.mark.parametrize("model", ["plant", "zone", "machine", "sensor"])
def test_it_lists_and_offers_to_an_operator_only_their_own(as_bob: Client, model: str) -> None:
    text = page(as_bob, f"{model}/")
    assert "kandy" in text.lower()
    for foreign in ("rotterdam", "mixing", "mixer", "power"):
        assert foreign not in text.lower()


@pytest.mark.parametrize(("model", "row"), [("plant", Plant), ("zone", Zone), ("machine", Machine), ("sensor", Sensor)])
def test_it_opens_no_foreign_row_to_an_operator(as_bob: Client, model: str, row: Any) -> None:
    foreign = row.objects.get(slug={Plant: "rotterdam", Zone: "mixing", Machine: "mixer-1", Sensor: "power"}[row])
    for action in ("change", "delete", "history"):
        if (model, action) == ("plant", "delete"):
            continue  # operators delete no plant at all
        response = as_bob.get(f"{ADMIN}/{model}/{foreign.pk}/{action}/")
        assert response.status_code == 302  # the admin's "doesn't exist", back to its index
        assert response["Location"] == "/admin/"


@pytest.mark.parametrize("persona", ["vera", "anonymous"])
@pytest.mark.parametrize("path", ["/admin/", "/admin/plants/sensor/", "/admin/plants/plant/add/"])
def test_it_does_not_let_others_enter(client: Client, request: pytest.FixtureRequest, persona: str, path: str) -> None:
    if persona != "anonymous":
        client.force_login(request.getfixturevalue(persona))
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    ("model", "field", "own", "foreign"),
    [
        ("zone", "plant", "Kandy", "Rotterdam"),
        ("machine", "zone", "Rolling", "Mixing"),
        ("sensor", "machine", "Roller 2", "Mixer 1"),
    ],
)
def test_it_completes_parents_from_the_users_plants(
    as_bob: Client, model: str, field: str, own: str, foreign: str
) -> None:
    response = as_bob.get(
        "/admin/autocomplete/", {"app_label": "plants", "model_name": model, "field_name": field, "term": ""}
    )
    texts = [result["text"] for result in json.loads(response.content)["results"]]
    assert texts == [own]


def test_it_does_not_take_a_foreign_parent_from_an_operator(as_bob: Client) -> None:
    mixing = Zone.objects.get(slug="mixing")
    form = {"zone": str(mixing.pk), "slug": "m", "name": "M", "position": "0"}
    response = as_bob.post(f"{ADMIN}/machine/add/", form)
    assert response.status_code == 200
    assert "valid choice" in response.content.decode()
    assert not Machine.objects.filter(slug="m").exists()


@pytest.mark.parametrize(
    ("model", "field", "parent"), [("zone", "plant", Plant), ("machine", "zone", Zone), ("sensor", "machine", Machine)]
)
def test_it_neither_shows_nor_takes_a_foreign_parent_of_an_operators_row(
    as_bob: Client, model: str, field: str, parent: Any
) -> None:
    foreign = parent.objects.get(slug__in=["rotterdam", "mixing", "mixer-1"])
    assert foreign.name not in page(as_bob, f"{model}/add/", **{field: str(foreign.pk)})
    models: dict[str, Any] = {"zone": Zone, "machine": Machine, "sensor": Sensor}
    row = models[model].objects.get(slug__in=["rolling", "roller-2", "temp"])
    response = as_bob.post(f"{ADMIN}/{model}/{row.pk}/change/", {field: str(foreign.pk), "slug": "s", "name": "N"})
    assert response.status_code == 200
    assert "valid choice" in response.content.decode()
    assert foreign.name not in response.content.decode()


@pytest.mark.parametrize(("model", "row"), [("zone", Zone), ("machine", Machine), ("sensor", Sensor)])
def test_it_deletes_only_their_own_rows_in_bulk(as_bob: Client, model: str, row: Any) -> None:
    form = {
        "action": "delete_selected",
        "_selected_action": [str(pk) for pk in row.objects.values_list("pk", flat=True)],
        "post": "yes",
    }
    asked = as_bob.post(f"{ADMIN}/{model}/", {**form, "post": ""}).content.decode()
    for foreign in ("Rotterdam", "Mixing", "Mixer", "Power"):
        assert foreign not in asked
    assert as_bob.post(f"{ADMIN}/{model}/", form | {"select_across": "1"}).status_code == 302
    assert [found.slug for found in row.objects.all()] == [{Zone: "mixing", Machine: "mixer-1", Sensor: "power"}[row]]


def test_it_does_not_let_an_operator_delete_plants_in_bulk(as_bob: Client, kandy: Plant) -> None:
    form = {"action": "delete_selected", "_selected_action": [str(kandy.pk)], "post": "yes"}
    as_bob.post(f"{ADMIN}/plant/", form)
    assert Plant.objects.contains(kandy)


def test_it_does_not_let_an_operator_add_members(as_bob: Client, kandy: Plant, charlie: User) -> None:
    form = {"name": "Kandy", "timezone": "UTC", "on_unknown": "quarantine", "location": ""} | {
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-user": str(charlie.pk),
        "memberships-0-plant": str(kandy.pk),
    }
    assert as_bob.post(f"{ADMIN}/plant/{kandy.pk}/change/", form).status_code == 302
    assert not Plant.objects.visible_to(charlie).contains(kandy)


@pytest.mark.parametrize("lookup", ["members", "members__id__exact", "memberships__user", "owner__email__startswith"])
def test_it_answers_an_operator_no_questions_about_members(as_bob: Client, bob: User, lookup: str) -> None:
    response = as_bob.get(f"{ADMIN}/plant/", {lookup: str(bob.pk)})
    assert response.status_code == 400


def test_it_takes_a_parent_of_their_own_from_an_operator(as_bob: Client) -> None:
    rolling = Zone.objects.get(slug="rolling")
    form = {"zone": str(rolling.pk), "slug": "m", "name": "M", "position": "0"}
    assert as_bob.post(f"{ADMIN}/machine/add/", form).status_code == 302
    assert Machine.objects.filter(slug="m", zone=rolling).exists()


def test_it_lets_an_operator_change_a_plant_but_not_its_slug_owner_or_members(
    as_bob: Client, kandy: Plant, bob: User
) -> None:
    text = page(as_bob, f"plant/{kandy.pk}/change/")
    assert "memberships" not in text
    form = {
        "name": "Kandy Tea",
        "location": "",
        "timezone": "UTC",
        "on_unknown": "create",
        "slug": "other",
        "owner": str(bob.pk),
    }
    assert as_bob.post(f"{ADMIN}/plant/{kandy.pk}/change/", form).status_code == 302
    kandy.refresh_from_db()
    assert (kandy.name, kandy.on_unknown, kandy.slug, kandy.owner) == ("Kandy Tea", "create", "kandy", None)
    assert as_bob.get(f"{ADMIN}/plant/add/").status_code == 403
    assert as_bob.post(f"{ADMIN}/plant/{kandy.pk}/delete/", {"post": "yes"}).status_code == 403


def test_it_names_an_owner_to_an_operator_without_a_link(as_bob: Client, kandy: Plant, bob: User) -> None:
    for owner, shown in ((None, "-"), (bob, str(bob))):
        Plant.objects.filter(pk=kandy.pk).update(owner=owner)
        text = page(as_bob, f"plant/{kandy.pk}/change/")
        assert f'<div class="readonly">{shown}</div>' in text
        assert "/admin/accounts/user/" not in text


def members_form(plant: Plant | None, *rows: dict[str, str], owner: User) -> dict[str, str]:
    """The form of a plant with its owner and rows of members; those with an id are there already."""
    form = {
        "slug": plant.slug if plant else "new",
        "name": "N",
        "location": "",
        "timezone": "UTC",
        "on_unknown": "quarantine",
    }
    form |= {"owner": str(owner.pk), "memberships-TOTAL_FORMS": str(len(rows))}
    form |= {"memberships-INITIAL_FORMS": str(sum("id" in row for row in rows))}
    return form | {f"memberships-{n}-{name}": value for n, row in enumerate(rows) for name, value in row.items()}


@pytest.mark.parametrize("is_new", [True, False])
def test_it_takes_the_new_owner_of_a_plant_as_a_member_too(
    as_alice: Client, kandy: Plant, charlie: User, is_new: bool
) -> None:
    form = members_form(None if is_new else kandy, {"user": str(charlie.pk)}, owner=charlie)
    path = "add/" if is_new else f"{kandy.pk}/change/"
    assert as_alice.post(f"{ADMIN}/plant/{path}", form).status_code == 302
    assert Membership.objects.filter(plant__slug=form["slug"], user=charlie).count() == 1


@pytest.mark.parametrize("is_deleted", [True, False])
def test_it_keeps_the_owner_a_member(
    as_alice: Client, kandy: Plant, bob: User, charlie: User, is_deleted: bool
) -> None:
    Plant.objects.filter(pk=kandy.pk).update(owner=bob)
    row = {"id": str(Membership.objects.get(user=bob).pk), "plant": str(kandy.pk)}
    row |= {"user": str(bob.pk), "DELETE": "on"} if is_deleted else {"user": str(charlie.pk)}
    response = as_alice.post(f"{ADMIN}/plant/{kandy.pk}/change/", members_form(kandy, row, owner=bob))
    assert "stays a member" in response.content.decode()
    assert Plant.objects.visible_to(bob).contains(kandy)


def test_it_lets_a_former_owner_go(as_alice: Client, kandy: Plant, bob: User, charlie: User) -> None:
    Plant.objects.filter(pk=kandy.pk).update(owner=bob)
    row = {"id": str(Membership.objects.get(user=bob).pk), "plant": str(kandy.pk), "user": str(bob.pk), "DELETE": "on"}
    assert (
        as_alice.post(f"{ADMIN}/plant/{kandy.pk}/change/", members_form(kandy, row, owner=charlie)).status_code == 302
    )
    assert [member.email for member in kandy.members.all()] == ["charlie@example.org"]


def test_it_shows_members_to_an_admin(as_alice: Client, kandy: Plant, bob: User) -> None:
    assert "bob@example.org" in page(as_alice, f"plant/{kandy.pk}/change/") or "Bob" in page(
        as_alice, f"plant/{kandy.pk}/change/"
    )


def latest(slug: str, value: float, age_s: float) -> None:
    model: Any = Sensor._meta.get_field("latest").related_model
    time = now() - timedelta(seconds=age_s)
    model.objects.create(sensor=Sensor.objects.get(slug=slug), time=time, value=value, quality=192, received_at=time)


def test_it_names_what_goes_with_a_deleted_sensor(as_alice: Client) -> None:
    latest("temp", 23.4, 5)
    sensor = Sensor.objects.get(slug="temp")
    assert f"Latest: latest reading of sensor {sensor.number}<" in page(as_alice, f"sensor/{sensor.pk}/delete/")


def test_it_lists_sensors_with_as_many_queries_for_one_as_for_many(
    as_bob: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(100) as few:
        page(as_bob, "sensor/")
    machine = Machine.objects.get(slug="roller-2")
    for n in range(20):
        Sensor.objects.create(machine=machine, slug=f"s{n}", name="Sensor")
        latest(f"s{n}", n, 1)
    with django_assert_max_num_queries(len(few)):
        page(as_bob, "sensor/")


@pytest.mark.parametrize("model", [Plant, Zone, Machine, Sensor])
def test_it_has_nothing_inline_that_the_policy_would_stop(as_alice: Client, model: Any) -> None:
    name = model._meta.model_name
    for path in (f"{name}/", f"{name}/add/", f"{name}/{model.objects.first().pk}/change/"):
        text = page(as_alice, path)
        assert "<style" not in text
        assert ' onclick="' not in text
        for script in text.split("<script")[1:]:
            assert "src=" in script.partition(">")[0] or "application/json" in script.partition(">")[0]
