import pytest
from django.test import Client

from accounts.models import User
from plants.models import Machine, Membership, Plant, Zone
from plants.tests.conftest import ApiOf


def history(client: Client, row: Plant | Zone | Machine) -> str:
    response = client.get(f"/admin/plants/{row._meta.model_name}/{row.pk}/history/")
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def as_bob(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def test_it_shows_members_to_admins_alone(client: Client, alice: User, bob: User, vera: User, kandy: Plant) -> None:
    Membership.objects.get(user=vera).delete()
    client.force_login(alice)
    assert "membership, vera@example.org, Kandy: deleted" in history(client, kandy)
    client.force_login(bob)
    assert "vera" not in history(client, kandy)


def test_it_names_a_parent(as_bob: Client, kandy: Plant) -> None:
    assert "<b>plant</b> <del>—</del> → <ins>Kandy</ins>" in history(as_bob, kandy.zones.get())


def test_it_names_nothing_of_a_foreign_plant(as_bob: Client, kandy: Plant, rotterdam: Plant) -> None:
    zone = rotterdam.zones.get()
    machine = zone.machines.get()
    Machine.objects.filter(pk=machine.pk).update(zone=kandy.zones.get())
    page = history(as_bob, machine)
    assert "<b>zone</b> <del>(not visible to you)</del> → <ins>Rolling</ins>" in page
    assert "Mixing" not in page
    assert str(zone.pk) not in page


def test_it_tells_operators_of_colleagues_alone(
    as_bob: Client, api_of: ApiOf, alice: User, vera: User, charlie: User, kandy: Plant
) -> None:
    api_of(alice).patch(f"/api/v1/plants/{kandy.pk}/", {"name": "Kandy Tea"})
    api_of("bob").patch(f"/api/v1/plants/{kandy.pk}/", {"name": "Kandy Coffee"})
    page = history(as_bob, kandy)
    assert "another user" in page
    assert "bob@example.org" in page
    assert "alice" not in page
    assert "127.0.0.1" not in page
