"""History over REST: raw readings, their order, pages, and whose they are."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.timezone import now
from rest_framework.test import APIClient

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.tests.samples import TEMP, ms, store_series, write

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/telemetry/history"
START = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)


@pytest.fixture
def client(vera: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(vera)
    return client


def get(client: APIClient, **query: str | int | list[str]) -> list[dict]:
    response = client.get(PATH, {"start": START.isoformat(), **query})
    assert response.status_code == 200, response.json()
    return response.json()


def test_it_gives_raw_readings_oldest_first(client: APIClient, kandy: Plant) -> None:
    sensor = store_series(TEMP, [(START + timedelta(seconds=2), 2.5), (START, 1.5)])
    assert get(client, sensor_id=TEMP) == [
        {
            "sensor_id": str(sensor.pk),
            "unit": "°C",
            "bucket": "raw",
            "columns": ["ts", "value", "quality"],
            "points": [[ms(START), 1.5, 192], [ms(START) + 2000, 2.5, 192]],
            "next": None,
        }
    ]


def test_it_keeps_microseconds_as_decimals(client: APIClient, kandy: Plant) -> None:
    store_series(TEMP, [(START + timedelta(microseconds=123_457), 1.0)])
    assert get(client, sensor_id=TEMP)[0]["points"][0][0] == ms(START) + 123.457


def test_it_includes_the_start_and_not_the_end(client: APIClient, kandy: Plant) -> None:
    store_series(TEMP, [(START + timedelta(seconds=i), float(i)) for i in range(4)])
    found = get(
        client,
        sensor_id=TEMP,
        start=(START + timedelta(seconds=1)).isoformat(),
        end=(START + timedelta(seconds=3)).isoformat(),
    )
    assert [value for _, value, _ in found[0]["points"]] == [1.0, 2.0]


def test_it_takes_several_sensors_by_id_or_address(client: APIClient, kandy: Plant) -> None:
    temp = store_series(TEMP, [(START, 1.0)])
    rpm = store_series("kandy/rolling/roller-2/rpm", [(START, 1480.0)])
    found = get(client, sensor_id=[str(rpm.pk), TEMP])
    assert {series["sensor_id"]: series["points"][0][1] for series in found} == {
        str(temp.pk): 1.0,
        str(rpm.pk): 1480.0,
    }


def test_it_pages_by_cursor_and_misses_nothing_that_comes_meanwhile(client: APIClient, kandy: Plant) -> None:
    store_series(TEMP, [(START + timedelta(seconds=2 * i), float(2 * i)) for i in range(5)])
    first = get(client, sensor_id=TEMP, points=2)[0]
    store_series(TEMP, [(START + timedelta(seconds=i), float(i)) for i in (1, 3)])
    second = get(client, sensor_id=TEMP, points=2, cursor=first["next"])[0]
    third = get(client, sensor_id=TEMP, points=2, cursor=second["next"])[0]
    pages = [[value for _, value, _ in page["points"]] for page in (first, second, third)]
    assert pages == [[0.0, 2.0], [3.0, 4.0], [6.0, 8.0]]
    assert third["next"] is None


def test_it_can_leave_out_what_is_not_good(client: APIClient, kandy: Plant) -> None:
    sensor = Sensor.objects.named([TEMP]).get()
    readings = [(sensor.number, ms(START) * 1000 + quality, 1.0, quality) for quality in (0, 63, 64, 191, 192, 255)]
    write(readings)
    assert len(get(client, sensor_id=TEMP)[0]["points"]) == 6
    assert [quality for *_, quality in get(client, sensor_id=TEMP, quality="good")[0]["points"]] == [192, 255]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "sensor_id"),
        ({"sensor_id": TEMP, "bucket": "30s"}, "bucket"),
        ({"sensor_id": TEMP, "points": 0}, "points"),
        ({"sensor_id": TEMP, "points": "many"}, "points"),
        ({"sensor_id": TEMP, "start": "yesterday"}, "start"),
        ({"sensor_id": TEMP, "end": START.isoformat()}, "start"),
        ({"sensor_id": TEMP, "start": "", "end": "0001-01-01T00:00:00Z"}, "start"),
        ({"sensor_id": [f"{TEMP}{i}" for i in range(11)], "points": 10_000}, "points"),
        ({"sensor_id": TEMP, "cursor": "?"}, "cursor"),
        ({"sensor_id": TEMP, "cursor": "9" * 40}, "cursor"),
        ({"sensor_id": [TEMP, "kandy/rolling/roller-2/rpm"], "cursor": "1"}, "cursor"),
    ],
)
def test_it_says_what_is_wrong_with_a_request(client: APIClient, query: dict, field: str) -> None:
    response = client.get(PATH, {"start": START.isoformat(), **query})
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("name", ["rotterdam/mixing/mixer-1/power", "kandy/rolling/roller-2/nope", "nonsense"])
def test_it_knows_no_foreign_or_unknown_sensor(client: APIClient, rotterdam: Plant, name: str) -> None:
    response = client.get(PATH, {"sensor_id": [TEMP, name]})
    assert response.status_code == 404
    assert response.json()["detail"] == f"There is no sensor “{name}”."


def test_it_asks_who_is_there(kandy: Plant) -> None:
    assert APIClient().get(PATH, {"sensor_id": TEMP}).status_code == 401


def test_it_defaults_to_the_last_hour(client: APIClient, kandy: Plant) -> None:
    recent = datetime.now(UTC) - timedelta(minutes=30)
    store_series(TEMP, [(recent, 2.0), (recent - timedelta(hours=1), 1.0)])
    response = client.get(PATH, {"sensor_id": TEMP})
    assert [value for _, value, _ in response.json()[0]["points"]] == [2.0]
