"""History over REST in buckets: what is chosen, shown, refused; the numbers are held by tests/queries/history."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.tests.samples import TEMP, ms, store_series, us, write

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/telemetry/history"
RPM, STATE = "kandy/rolling/roller-2/rpm", "kandy/rolling/roller-2/state"
START = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def client(vera: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(vera)
    return client


@pytest.fixture(autouse=True)
def in_utc(kandy: Plant) -> None:
    Plant.objects.filter(pk=kandy.pk).update(timezone="UTC")


def ask(client: APIClient, sensor: str = TEMP, *, length: timedelta = DAY, **query: Any) -> dict[str, Any]:
    times = {"start": START.isoformat(), "end": (START + length).isoformat()}
    response = client.get(PATH, {"sensor_id": sensor, **times, **query})
    assert response.status_code == 200, response.json()
    return response.json()[0]


def hourly(*values: float, sensor: str = TEMP, step: timedelta = HOUR) -> None:
    store_series(sensor, [(START + i * step, value) for i, value in enumerate(values)])


def test_it_gives_a_column_for_each_aggregate_in_the_order_asked_for(client: APIClient) -> None:
    hourly(1, 3, 5, step=10 * MINUTE)
    sensor = Sensor.objects.named([TEMP]).get()
    assert ask(client, bucket="1h", agg="max,avg,count,sum,first,last,min") == {
        "sensor_id": str(sensor.pk),
        "unit": "°C",
        "bucket": "1h",
        "columns": ["ts", "max", "avg", "count", "sum", "first", "last", "min"],
        "points": [[ms(START), 5.0, 3.0, 3, 9.0, 1.0, 5.0, 1.0]],
        "next": None,
    }


def test_it_shows_what_fits_the_kind_of_sensor(client: APIClient) -> None:
    Sensor.objects.filter(slug="rpm").update(kind="counter")
    assert ask(client, TEMP, bucket="1h")["columns"] == ["ts", "avg", "min", "max"]
    assert ask(client, RPM, bucket="1h")["columns"] == ["ts", "delta", "last"]
    assert ask(client, STATE, bucket="1h")["columns"] == ["ts", "stopped", "running", "idle", "fault"]


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        ("none", [1.0, 4.0]),
        ("null", [1.0, None, None, 4.0]),
        ("previous", [1.0, 1.0, 1.0, 4.0]),
        ("linear", [1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_it_fills_gaps(client: APIClient, fill: str, expected: list[float | None]) -> None:
    store_series(TEMP, [(START, 1.0), (START + 3 * HOUR, 4.0)])
    points = ask(client, length=4 * HOUR, bucket="1h", agg="avg", fill=fill)["points"]
    assert [value for _, value in points] == expected


def test_it_follows_a_counter_through_gaps_resets_and_rollovers(client: APIClient) -> None:
    Sensor.objects.filter(slug="rpm").update(kind="counter")
    hourly(90, 98, sensor=RPM)
    store_series(RPM, [(START + 5 * HOUR, 3.0), (START + 6 * HOUR, 5.0)])
    deltas: dict[str, Any] = {"length": 8 * HOUR, "bucket": "1h", "agg": "delta"}
    assert [value for _, value in ask(client, RPM, **deltas)["points"]] == [0, 8, 3, 2]
    Sensor.objects.filter(slug="rpm").update(rollover_at=100)
    assert [value for _, value in ask(client, RPM, **deltas)["points"]] == [0, 8, 5, 2]


def test_it_weights_values_by_how_long_they_held(client: APIClient) -> None:
    store_series(TEMP, [(START - DAY, 10.0), (START + 15 * MINUTE, 20.0), (START + 2 * HOUR, 0.0)])
    points = ask(client, length=3 * HOUR, bucket="1h", agg="twa,avg")["points"]
    assert [values for _, *values in points] == [[17.5, 20.0], [20.0, None], [0.0, 0.0]]


def test_it_tells_for_how_long_a_machine_was_in_each_state(client: APIClient) -> None:
    store_series(STATE, [(START - DAY, 1), (START + 90 * MINUTE, 3), (START + 100 * MINUTE, 1)])
    points = ask(client, STATE, length=3 * HOUR, bucket="1h")["points"]
    assert points == [
        [ms(START), 0, 3600, 0, 0],
        [ms(START + HOUR), 0, 3000, 0, 600],
        [ms(START + 2 * HOUR), 0, 3600, 0, 0],
    ]


def test_it_has_a_column_for_a_state_without_a_label(client: APIClient) -> None:
    hourly(7, sensor=STATE)
    series = ask(client, STATE, length=HOUR, bucket="1h", agg="duration,count")
    assert (series["columns"][-2:], series["points"][0][-2:]) == (["7", "count"], [3600, 1])


def test_it_counts_good_readings_or_all(client: APIClient) -> None:
    sensor = Sensor.objects.named([TEMP]).get()
    write([(sensor.number, us(START + i * MINUTE), float(i), quality) for i, quality in enumerate((192, 0, 64, 255))])
    asked: dict[str, Any] = {"length": HOUR, "bucket": "1h", "agg": "count,max,avg,percent_good"}
    assert ask(client, **asked)["points"][0][1:] == [2, 3.0, 1.5, 50.0]
    assert ask(client, **asked, quality="any")["points"][0][1:] == [4, 3.0, 1.5, 50.0]
    write([(sensor.number, us(START + 5 * MINUTE), 9.0, 0)])
    assert ask(client, **asked, quality="any")["points"][0][1:3] == [5, 9.0]


def test_it_counts_those_of_any_quality_and_the_bad_ones(client: APIClient) -> None:
    sensor = Sensor.objects.named([TEMP]).get()
    write([(sensor.number, us(START + i * MINUTE), float(i), quality) for i, quality in enumerate((192, 0, 64, 63))])
    asked: dict[str, Any] = {"length": 2 * HOUR, "bucket": "1h", "agg": "count_all,count_bad"}
    assert ask(client, **asked)["points"] == [[ms(START), 4, 2]]
    assert ask(client, **asked, fill="null")["points"][1][1:] == [0, 0]
    call_command("maintain", "--only", "rollups", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM reading")  # as retention does, which leaves rollups
    assert ask(client, **asked)["points"] == [[ms(START), 4, None]]


def test_it_begins_days_at_midnight_of_the_plant_or_of_a_zone(client: APIClient, kandy: Plant) -> None:
    Plant.objects.filter(pk=kandy.pk).update(timezone="Asia/Colombo")
    hourly(1, 2)
    (colombo, _), *_ = ask(client, length=2 * HOUR, bucket="day", agg="count")["points"]
    (berlin, count), *_ = ask(client, length=2 * HOUR, bucket="1d", agg="count", tz="Europe/Berlin")["points"]
    assert colombo == ms(datetime(2026, 3, 28, tzinfo=ZoneInfo("Asia/Colombo")))
    assert berlin == ms(datetime(2026, 3, 28, tzinfo=ZoneInfo("Europe/Berlin")))
    assert count == 2


def test_it_has_a_day_of_23_hours_when_summer_begins(client: APIClient) -> None:
    hourly(*range(72))
    days = ask(client, length=3 * DAY, bucket="1d", agg="count", tz="Europe/Berlin")["points"]
    assert [count for _, count in days] == [23, 23, 24, 2]  # the range begins at one o'clock


def test_it_counts_what_came_late_at_once(client: APIClient) -> None:
    hourly(1)
    store_series(TEMP, [(START + 5 * DAY, 1.0)])
    assert ask(client, bucket="1d", agg="count")["points"][0][1] == 1
    store_series(TEMP, [(START + MINUTE, 1.0)])
    assert ask(client, bucket="1d", agg="count")["points"][0][1] == 2


@pytest.mark.parametrize(
    ("length", "points", "bucket"),
    [
        (HOUR, 10, "raw"),
        (HOUR, 3, "30m"),
        (DAY, 100, "raw"),
        (DAY, 5, "6h"),
        (30 * DAY, 1000, "1h"),
        (365 * DAY, 60, "1w"),
    ],
)
def test_it_chooses_raw_readings_where_they_fit_and_else_the_smallest_bucket_that_does(
    client: APIClient, length: timedelta, points: int, bucket: str
) -> None:
    hourly(*range(10), step=MINUTE)
    series = ask(client, length=length, bucket="auto", points=points)
    assert series["bucket"] == bucket
    assert 0 < len(series["points"]) <= points


def test_it_chooses_raw_readings_for_each_sensor_alone(client: APIClient) -> None:
    hourly(*range(60), step=MINUTE)
    hourly(1, 2, sensor=RPM)
    times = {"start": START.isoformat(), "end": (START + HOUR).isoformat()}
    query: dict[str, Any] = {"sensor_id": [TEMP, RPM], "bucket": "auto", "points": 10, **times}
    found = client.get(PATH, query).json()
    assert sorted(series["bucket"] for series in found) == ["10m", "raw"]


def test_it_chooses_buckets_where_aggregates_are_asked_for(client: APIClient) -> None:
    hourly(1, 2)
    assert ask(client, length=HOUR, agg="avg")["bucket"] == "1m"


@pytest.mark.parametrize("method", ["lttb", "minmax"])
@pytest.mark.parametrize("bucket", ["raw", "1m"])
def test_it_chooses_points_that_keep_a_peak(client: APIClient, method: str, bucket: str) -> None:
    hourly(*[float(i == 77) for i in range(300)], step=MINUTE)
    found = ask(client, bucket=bucket, method=method, points=10)
    assert 2 < len(found["points"]) <= 10
    assert max(point[1] for point in found["points"]) == 1.0
    assert found["next"] is None


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ({"bucket": "30s"}, "bucket", "finest bucket is 1m"),
        ({"bucket": "1y"}, "bucket", "such as 15m, 1d or 1month"),
        ({"bucket": "1m", "end": "2026-06-01T00:00Z"}, "bucket", "more than 10,000 buckets"),
        ({"bucket": "1m", "end": "2199-01-01T00:00Z"}, "bucket", "more than 10,000 buckets"),
        ({"bucket": "1h", "points": 5}, "points", "more than 5 buckets"),
        ({"bucket": "1h", "agg": "median"}, "agg", "no aggregate “median”"),
        ({"bucket": "1h", "agg": "duration"}, "agg", "makes no sense for “kandy/rolling/roller-2/temp”, a gauge"),
        ({"bucket": "1h", "agg": "avg", "sensor_id": STATE}, "agg", "avg makes no sense"),
        ({"bucket": "1h", "sensor_id": STATE, "method": "lttb"}, "method", "draws a line"),
        ({"bucket": "raw", "agg": "avg"}, "agg", "ask for a bucket"),
        ({"bucket": "raw", "fill": "null"}, "fill", "ask for a bucket"),
        ({"bucket": "1h", "fill": "zero"}, "fill", "not a valid choice"),
        ({"bucket": "1h", "tz": "Europe"}, "tz", "not a time zone"),
        ({"bucket": "1h", "tz": "../etc/passwd"}, "tz", "not a time zone"),
        ({"bucket": "1h", "cursor": "1"}, "cursor", "Only raw readings come in pages"),
        ({"cursor": "1", "method": "lttb"}, "cursor", "leave out one"),
        ({"method": "lttb", "points": 1}, "points", "at least"),
        ({"bucket": "auto", "points": 1, "fill": "null", "start": "1999-12-31T00:00Z"}, "points", "2 points"),
        ({"end": "9999-12-31T23:59:59Z"}, "end", "1970 to 2200"),
        ({"quality": "best"}, "quality", "not a valid choice"),
    ],
)
def test_it_says_what_is_wrong_with_a_request(client: APIClient, query: dict, field: str, says: str) -> None:
    times = {"start": START.isoformat(), "end": (START + DAY).isoformat()}
    response = client.get(PATH, {"sensor_id": TEMP, **times, **query})
    assert response.status_code == 400, response.json()
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert says in error["detail"]


def test_it_gives_up_on_what_takes_too_long_and_advises(
    client: APIClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.queries.history.raw.READINGS", "SELECT pg_sleep(30)")
    settings.HISTORY_TIMEOUT_S = 1
    response = client.get(PATH, {"sensor_id": TEMP})
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert int(response["Retry-After"]) > 0
    assert "shorter range" in response.json()["detail"]
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
