from datetime import UTC, datetime
from typing import Any

from plants.models import Plant, Sensor
from plants.tests.conftest import ApiOf


def test_it_shows_number_address_and_latest(api_of: ApiOf, kandy: Plant) -> None:
    sensor = Sensor.objects.get(slug="temp")
    latest: Any = sensor._meta.get_field("latest").related_model
    time = datetime(2026, 11, 24, 13, 0, 0, 250_000, tzinfo=UTC)
    latest.objects.create(sensor=sensor, time=time, value=23.4, quality=192, received_at=time)
    row = api_of("vera").get(f"/api/v1/sensors/{sensor.id}/").json()
    assert row["number"] == sensor.number
    assert row["address"] == "kandy/rolling/roller-2/temp"
    assert row["latest"] == {"timestamp": "2026-11-24T13:00:00.250000Z", "value": 23.4, "quality": 192}


def test_it_shows_null_where_there_is_no_reading(api_of: ApiOf, kandy: Plant) -> None:
    rows = api_of("vera").get("/api/v1/sensors/").json()["results"]
    assert [row["latest"] for row in rows] == [None, None, None]


def test_it_creates_a_sensor_with_a_number_of_its_own(api_of: ApiOf, kandy: Plant) -> None:
    machine = Sensor.objects.get(slug="temp").machine
    body = {"machine": str(machine.id), "slug": "new", "name": "New", "number": 1_000_000}
    response = api_of("bob").post("/api/v1/sensors/", body)
    assert response.status_code == 201
    assert response.json()["number"] == Sensor.objects.get(slug="new").number < 1_000_000
    assert response.json()["address"] == "kandy/rolling/roller-2/new"
    assert response.json()["latest"] is None
