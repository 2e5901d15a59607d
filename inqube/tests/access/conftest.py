import pytest

from inqube.tests.access.world import World, build


@pytest.fixture
def world(db: None) -> World:
    return build()
