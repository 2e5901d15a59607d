"""The access matrix of programs, who carry a token."""

import pytest

from inqube.tests.access.matrix import ROUTES, check
from inqube.tests.access.world import World

pytestmark = pytest.mark.django_db  # or pytest-django would make no database when these run alone


@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith("api/")])
def test_it_answers_as_declared(world: World, route: str) -> None:
    check(route, world.programs, world)
