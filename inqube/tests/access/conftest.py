from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from inqube.tests.access.world import World, build


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Built once for all cases, each of which takes back what it does: to build it takes longer than most of them."""
    with django_db_blocker.unblock(), transaction.atomic():
        built = build()
        job = app.configure_task("latest").defer(timestamp=0)  # of no place, and for admins only
        for place in built.places.values():
            place.things["procrastinatejob"] = ProcrastinateJob.objects.get(pk=job)
        yield built
        transaction.set_rollback(True)
