"""The access matrix of people, who have a session: pages and the admin."""

import json

import pytest
from django.contrib import admin

from inqube.tests.access.matrix import ROUTES, check
from inqube.tests.access.world import HERE, HOME, World

pytestmark = pytest.mark.django_db  # or pytest-django would make no database when these run alone


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.startswith("api/")])
def test_it_answers_as_declared(world: World, route: str) -> None:
    check(route, world.browsers, world)


# Every field that the admin completes: the model that has it, its name, the model that is offered.
COMPLETED = sorted(
    {
        (source.model._meta.label_lower, name, source.model._meta.get_field(name).related_model._meta.label_lower)
        for registered in admin.site._registry.values()
        for source in (registered, *(inline(registered.model, admin.site) for inline in registered.inlines))
        for name in source.autocomplete_fields
    }
)


@pytest.mark.parametrize(("model", "field", "offered"), COMPLETED)
def test_it_completes_from_what_they_may_view(world: World, model: str, field: str, offered: str) -> None:
    app_label, _, model_name = model.partition(".")
    for persona in ("operator", "owner", "other", "admin", "viewer", "anonymous"):
        query = {"app_label": app_label, "model_name": model_name, "field_name": field, "term": ""}
        response = world.browsers[persona].get("/admin/autocomplete/", query)
        if persona in ("viewer", "anonymous"):
            assert response.status_code == 302
        elif persona != "admin" and offered == "accounts.user":
            assert response.status_code == 403
        else:
            texts = " ".join(result["text"] for result in json.loads(response.content)["results"])
            seen = {name for name in world.places if name in texts}
            assert seen == ({HOME[persona]} if persona in HOME else set(world.places)), persona


def test_it_knows_fields_to_complete() -> None:
    assert ("plants.zone", "plant", "plants.plant") in COMPLETED
    assert ("plants.membership", "user", "accounts.user") in COMPLETED


def test_it_tells_two_plants_apart(world: World) -> None:
    """The names that give an answer away do occur where they may."""
    assert HERE in world.browsers["viewer"].get("/").content.decode()
    assert HERE not in world.browsers["other"].get("/").content.decode()
