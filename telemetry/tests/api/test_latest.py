"""Latest over REST: one row a sensor, and whose they are."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.tests.samples import TEMP, store_series

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/telemetry/latest"


@pytest.fixture
def client(vera: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(vera)
    return client


def test_it_gives_the_newest_reading_with_its_freshness(client: APIClient, kandy: Plant) -> None:
    time = now() - timedelta(seconds=5)
    sensor = store_series(TEMP, [(time, 23.4), (time - timedelta(seconds=1), 99.0)])
    (found,) = client.get(PATH, {"sensor": TEMP}).json()
    assert found == {
        "sensor_id": str(sensor.pk),
        "sensor_number": sensor.number,
        "address": TEMP,
        "timestamp": time.isoformat().replace("+00:00", "Z"),
        "value": 23.4,
        "unit": "°C",
        "quality": 192,
        "freshness": "fresh",
    }


def test_it_shows_sensors_without_a_reading(client: APIClient, kandy: Plant) -> None:
    (found,) = client.get(PATH, {"sensor": TEMP}).json()
    assert (found["timestamp"], found["value"], found["quality"], found["freshness"]) == (None, None, None, "none")


def test_it_says_that_a_reading_is_stale(client: APIClient, kandy: Plant) -> None:
    store_series(TEMP, [(now() - timedelta(hours=1), 23.4)])
    (found,) = client.get(PATH, {"sensor": TEMP}).json()
    assert found["freshness"] == "stale"


STATE = "kandy/rolling/roller-2/state"  # reports on change


@pytest.mark.parametrize(
    "query", [{}, {"machine": "kandy/rolling/roller-2"}, {"sensor": STATE}, {"sensor": [STATE, TEMP]}]
)
def test_it_lets_neighbours_vouch_for_a_sensor_whichever_are_asked_for(
    client: APIClient, kandy: Plant, query: dict[str, str | list[str]]
) -> None:
    Sensor.objects.exclude(kind="state").update(expected_interval_s=2)
    store_series(STATE, [(now() - timedelta(hours=1), 1)])
    store_series(TEMP, [(now(), 23.4)])
    freshness = {row["address"]: row["freshness"] for row in client.get(PATH, query).json()}
    assert freshness[STATE] == "fresh"


def test_it_lets_no_sensor_vouch_that_is_not_in_use(client: APIClient, kandy: Plant) -> None:
    Sensor.objects.exclude(kind="state").update(expected_interval_s=2, is_active=False)
    store_series(STATE, [(now() - timedelta(hours=1), 1)])
    store_series(TEMP, [(now(), 23.4)])
    (found,) = client.get(PATH, {"sensor": STATE}).json()
    assert found["freshness"] == "stale"


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ({}, ["rpm", "state", "temp"]),
        ({"plant": "kandy"}, ["rpm", "state", "temp"]),
        ({"machine": "kandy/rolling/roller-2"}, ["rpm", "state", "temp"]),
        ({"sensor": [TEMP, "kandy/rolling/roller-2/rpm"]}, ["rpm", "temp"]),
        ({"plant": "kandy", "sensor": TEMP}, ["temp"]),
    ],
)
def test_it_selects_by_plant_machine_and_sensor(
    client: APIClient, rotterdam: Plant, query: dict, slugs: list[str]
) -> None:
    found = client.get(PATH, query).json()
    assert [row["address"].rpartition("/")[2] for row in found] == slugs


def test_it_takes_ids_too(client: APIClient, kandy: Plant) -> None:
    sensor = Sensor.objects.named([TEMP]).get()
    for query in ({"plant": str(kandy.pk)}, {"machine": str(sensor.machine_id)}, {"sensor": str(sensor.pk)}):
        assert TEMP in [row["address"] for row in client.get(PATH, query).json()]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"plant": ["kandy", "rotterdam"]}, "There is no plant “rotterdam”."),
        ({"machine": "rotterdam/mixing/mixer-1"}, "There is no machine “rotterdam/mixing/mixer-1”."),
        ({"sensor": "rotterdam/mixing/mixer-1/power"}, "There is no sensor “rotterdam/mixing/mixer-1/power”."),
    ],
)
def test_it_knows_nothing_foreign(client: APIClient, rotterdam: Plant, query: dict, detail: str) -> None:
    response = client.get(PATH, query)
    assert response.status_code == 404
    assert response.json()["detail"] == detail


def test_it_asks_who_is_there(kandy: Plant) -> None:
    assert APIClient().get(PATH).status_code == 401


def test_it_needs_two_queries_however_many_sensors_and_none_of_readings(
    client: APIClient, kandy: Plant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    machine = Sensor.objects.named([TEMP]).get().machine
    Sensor.objects.bulk_create(Sensor(machine=machine, slug=f"s{i}", name=f"S{i}") for i in range(20))
    with django_assert_num_queries(2) as queries:
        assert len(client.get(PATH).json()) == 23
    assert not any('"reading"' in query["sql"] for query in queries.captured_queries)
