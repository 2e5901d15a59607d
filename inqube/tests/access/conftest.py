from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from inqube.tests.access.world import World, build


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Built once for all cases, each of which takes back what it does: to build it takes longer than most of them."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)
