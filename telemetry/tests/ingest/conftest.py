"""What tests of storing begin with."""

from collections.abc import Iterator

import pytest

from plants.models import Plant, Sensor
from telemetry.ingest.store import Store
from telemetry.tests.samples import TEMP


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture
def number(kandy: Plant) -> int:
    """Of a sensor."""
    return Sensor.objects.named([TEMP]).get().number
