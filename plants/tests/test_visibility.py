from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from plants.models import Machine, Plant, Sensor, Zone

MODELS: list[Any] = [Plant, Zone, Machine, Sensor]
SLUGS: dict[Any, dict[str, set[str]]] = {
    Plant: {"kandy": {"kandy"}, "rotterdam": {"rotterdam"}},
    Zone: {"kandy": {"rolling"}, "rotterdam": {"mixing"}},
    Machine: {"kandy": {"roller-2"}, "rotterdam": {"mixer-1"}},
    Sensor: {"kandy": {"temp", "rpm", "state"}, "rotterdam": {"power"}},
}


@pytest.mark.parametrize(
    ("persona", "plants"),
    [
        ("alice", ["kandy", "rotterdam"]),
        ("bob", ["kandy"]),
        ("vera", ["kandy"]),
        ("charlie", ["rotterdam"]),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_it_shows_the_rows_of_their_plants(
    kandy: Plant, rotterdam: Plant, request: pytest.FixtureRequest, model: Any, persona: str, plants: list[str]
) -> None:
    user = request.getfixturevalue(persona)
    slugs = sorted(row.slug for row in model.objects.visible_to(user))
    assert slugs == sorted(slug for plant in plants for slug in SLUGS[model][plant])


@pytest.mark.parametrize("model", MODELS)
def test_it_shows_nothing_to_the_anonymous(kandy: Plant, model: Any) -> None:
    assert not model.objects.visible_to(AnonymousUser()).exists()


@pytest.mark.parametrize("persona", ["alice", "bob"])
@pytest.mark.parametrize("model", MODELS)
def test_it_shows_nothing_to_the_inactive(
    kandy: Plant, request: pytest.FixtureRequest, model: Any, persona: str
) -> None:
    user: User = request.getfixturevalue(persona)
    user.is_active = False
    assert not model.objects.visible_to(user).exists()


def test_it_shows_to_each_of_many_what_it_shows_to_one(
    kandy: Plant, rotterdam: Plant, alice: User, bob: User, vera: User, charlie: User
) -> None:
    """The live feed asks for all its users at once: there is one rule, in two forms."""
    vera.is_active = False
    users = [alice, bob, vera, charlie]
    assert Plant.objects.visible_to_each(users) == {
        (user.pk, plant.pk) for user in users for plant in Plant.objects.visible_to(user)
    }
