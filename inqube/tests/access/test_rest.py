"""The access matrix of programs, who carry a token."""

import pytest

from inqube.tests.access.matrix import ROUTES, check
from inqube.tests.access.world import World


@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith("api/")])
def test_it_answers_as_declared(world: World, route: str) -> None:
    check(route, world.programs, world)
