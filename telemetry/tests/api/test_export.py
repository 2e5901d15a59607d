"""Export over REST: what the files hold, whose they are, how many at once."""

import csv
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.http.request import HttpHeaders
from rest_framework.test import APIClient

from accounts.models import User
from plants.models import Machine, Membership, Plant, Sensor
from plants.scales import BAD, GOOD
from telemetry.api import export as api
from telemetry.api.export import EXPORTS_AT_ONCE, EXPORTS_OF_A_USER, AccessEndedError, Slots, TooManyError, encoding
from telemetry.storage import connection_params
from telemetry.tests.samples import TEMP, store_series, us, write

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/telemetry/export"
RPM = "kandy/rolling/roller-2/rpm"
START = datetime(2026, 11, 20, 22, 59, 59, 500_000, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def client(vera: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(vera)
    return client


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    """Three readings, one an hour, across a midnight."""
    return store_series(TEMP, [(START, -5.25), (START + HOUR, 1e21), (START + 2 * HOUR, 0.1)])


@pytest.fixture(autouse=True)
def no_slot_is_lost() -> Iterator[None]:
    yield
    assert api.slots.running == 0


def collect(chunks: AsyncIterator[bytes]) -> bytes:
    async def joined() -> bytes:
        return b"".join([chunk async for chunk in chunks])

    return async_to_sync(joined)()


def get(client: APIClient, accepted: str = "identity", **query: Any) -> Any:
    response: Any = client.get(PATH, {"sensor_id": TEMP, **query}, headers={"accept-encoding": accepted})
    if response.streaming:
        response.body = collect(response.streaming_content)
    return response


def rows(client: APIClient, **query: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(get(client, **query).body.decode())))


def lines(client: APIClient, **query: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in get(client, format="ndjson", **query).body.splitlines()]


def test_it_gives_a_row_for_each_reading(client: APIClient, temp: Sensor) -> None:
    response = get(client)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="kandy-rolling-roller-2-temp.csv"'
    assert response.body.decode() == (
        "address,timestamp,value,unit,quality\n"
        "kandy/rolling/roller-2/temp,2026-11-20T22:59:59.5Z,-5.25,°C,192\n"
        "kandy/rolling/roller-2/temp,2026-11-20T23:59:59.5Z,1e+21,°C,192\n"
        "kandy/rolling/roller-2/temp,2026-11-21T00:59:59.5Z,0.1,°C,192\n"
    )


def test_it_gives_ndjson(client: APIClient, temp: Sensor) -> None:
    response = get(client, format="ndjson")
    assert response["Content-Type"] == "application/x-ndjson"
    assert json.loads(response.body.splitlines()[0]) == {
        "address": TEMP,
        "timestamp": "2026-11-20T22:59:59.5Z",
        "value": -5.25,
        "unit": "°C",
        "quality": 192,
    }
    assert response.body.endswith(b"\n")


def test_it_keeps_to_the_range_from_start_to_before_the_end(client: APIClient, temp: Sensor) -> None:
    response = get(client, start=(START + HOUR).isoformat(), end=(START + 2 * HOUR).isoformat())
    assert "temp_20261120T235959Z_20261121T005959Z.csv" in response["Content-Disposition"]
    assert [row["value"] for row in csv.DictReader(StringIO(response.body.decode()))] == ["1e+21"]


def test_it_gives_one_sensor_after_the_other(client: APIClient, temp: Sensor) -> None:
    store_series(RPM, [(START - HOUR, 1), (START + 50 * HOUR, 2)])
    found = [(row["address"], row["timestamp"]) for row in rows(client, sensor_id=[TEMP, RPM])]
    assert found == sorted(found)
    assert len(found) == 5


def test_it_gives_a_column_for_each_sensor_of_a_wide_file(client: APIClient, temp: Sensor) -> None:
    store_series(RPM, [(START, 1480), (START + timedelta(days=2), 1500)])
    assert get(client, shape="wide", sensor_id=[TEMP, RPM]).body.decode() == (
        f"timestamp,{RPM},{TEMP}\n"
        "2026-11-20T22:59:59.5Z,1480,-5.25\n"
        "2026-11-20T23:59:59.5Z,,1e+21\n"
        "2026-11-21T00:59:59.5Z,,0.1\n"
        "2026-11-22T22:59:59.5Z,1500,\n"
    )
    assert lines(client, shape="wide", sensor_id=[TEMP, RPM])[1] == {
        "timestamp": "2026-11-20T23:59:59.5Z",
        TEMP: 1e21,
        RPM: None,
    }


def test_it_leaves_out_all_but_good_readings_on_demand(client: APIClient, temp: Sensor) -> None:
    write([(temp.number, us(START) + 1, 7.0, BAD), (temp.number, us(START) + 2, 8.0, GOOD)])
    assert len(rows(client)) == 5
    assert [row["value"] for row in rows(client, quality="good")] == ["-5.25", "8", "1e+21", "0.1"]


def test_it_gives_a_head_alone_where_there_is_nothing(client: APIClient, kandy: Plant) -> None:
    assert get(client).body == b"address,timestamp,value,unit,quality\n"
    assert get(client, format="ndjson").body == b""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_it_exports_no_formulas(client: APIClient, temp: Sensor, start: str) -> None:
    unit = f"{start}1+1\"'%s"
    Sensor.objects.filter(pk=temp.pk).update(unit=unit)
    [first, *_] = rows(client)
    assert (first["unit"], first["value"]) == (f"'{unit}", "-5.25")
    assert lines(client)[0]["unit"] == unit


def test_it_compresses_in_transit_for_who_accepts_it(client: APIClient, temp: Sensor) -> None:
    plain, packed = get(client), get(client, accepted="gzip, deflate, br")
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Content-Type"] == "text/csv; charset=utf-8"
    assert "Accept-Encoding" in packed["Vary"]
    assert gzip.decompress(packed.body) == plain.body


def test_it_gives_a_gzip_file_on_demand(client: APIClient, temp: Sensor) -> None:
    packed = get(client, accepted="gzip", gzip="true", format="ndjson")
    assert packed["Content-Type"] == "application/gzip"
    assert packed["Content-Disposition"].endswith('temp.ndjson.gz"')
    assert "Content-Encoding" not in packed
    assert len(gzip.decompress(packed.body).splitlines()) == 3


@pytest.mark.parametrize(
    ("accepted", "how"),
    [
        ("", None),
        ("gzip", "transit"),
        ("br, GZIP;q=0.5", "transit"),
        ("gzip;q=0", None),
        ("*", "transit"),
        ("x-gz", None),
    ],
)
def test_it_knows_who_accepts_gzip(accepted: str, how: str | None) -> None:
    assert encoding(HttpHeaders({"HTTP_ACCEPT_ENCODING": accepted}), as_file=False) == how


def test_it_shows_no_sensors_of_other_plants(client: APIClient, kandy: Plant, rotterdam: Plant) -> None:
    response = get(client, sensor_id=[TEMP, "rotterdam/mixing/mixer-1/power"])
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"sensor_id": []}, "sensor_id: Name 1 to 300 sensors."),
        ({"sensor_id": [TEMP] * 101, "shape": "wide"}, "sensor_id: Name 1 to 100 sensors."),
        ({"format": "xlsx"}, "format: "),
        ({"bucket": "7m"}, "bucket: "),
        ({"start": "2026-11-21T00:00:00Z", "end": "2026-11-21T00:00:00Z"}, "start: The start must lie before the end."),
        ({"start": "yesterday"}, "start: "),
        ({"agg": "avg"}, "agg: Only wide files of buckets"),
        ({"gzip": "perhaps"}, "gzip: "),
    ],
)
def test_it_says_what_is_wrong(client: APIClient, kandy: Plant, query: dict[str, Any], said: str) -> None:
    response = get(client, **query)
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert response.json()["detail"].startswith(said)


def test_it_answers_head_without_an_export(client: APIClient, temp: Sensor) -> None:
    response = client.head(PATH, {"sensor_id": TEMP})
    assert (response.status_code, response.streaming) == (200, False)
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_it_limits_exports_of_a_user_and_of_the_process(kandy: Plant, client: APIClient, vera: User, bob: User) -> None:
    kept = [api.slots.take(vera.pk) for _ in range(EXPORTS_OF_A_USER)]
    response = get(client)
    assert (response.status_code, response["Retry-After"]) == (429, "30")
    assert "2 exports of yours are running" in response.json()["detail"]
    client.force_authenticate(bob)
    kept += [api.slots.take(kandy.pk) for _ in range(EXPORTS_AT_ONCE - EXPORTS_OF_A_USER)]
    response = get(client)
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert response["Content-Type"] == "application/problem+json"
    for slot in kept:
        api.slots.give_back(slot)
    assert get(client).status_code == 200


def test_it_does_not_wait_for_exports_that_never_begin(vera: User, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = Slots()
    begun = slots.take(vera.pk)
    slots.begin(begun)
    slots.take(vera.pk)
    with pytest.raises(TooManyError):
        slots.take(vera.pk)
    monkeypatch.setattr(api, "BEGIN_WITHIN_S", 0.0)
    slots.take(vera.pk)
    assert slots.running == 1


@pytest.mark.parametrize("how", ["member", "password"])
def test_it_breaks_off_when_the_user_may_no_longer_see_it(
    client: APIClient, temp: Sensor, vera: User, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "CHECK_EVERY_S", 0.0)
    assert get(client).status_code == 200
    response: Any = client.get(PATH, {"sensor_id": TEMP})
    if how == "member":
        Membership.objects.filter(user=vera).delete()
    else:
        User.objects.filter(pk=vera.pk).update(token_version=vera.token_version + 1)
    with pytest.raises(AccessEndedError):
        collect(response.streaming_content)


def test_it_breaks_off_when_the_query_fails(client: APIClient, temp: Sensor) -> None:
    response: Any = client.get(PATH, {"sensor_id": TEMP})
    with psycopg.connect(**connection_params(), autocommit=True) as connection:
        connection.execute("ALTER TABLE reading RENAME COLUMN value TO worth")
        try:
            with pytest.raises(psycopg.errors.UndefinedColumn):
                collect(response.streaming_content)
        finally:
            connection.execute("ALTER TABLE reading RENAME COLUMN worth TO value")


def test_it_keeps_no_connection_of_the_pool(client: APIClient, temp: Sensor) -> None:
    """Neither the view's nor its own is one that others wait for, while an export runs."""
    response: Any = client.get(PATH, {"sensor_id": TEMP})

    async def look() -> list[bool]:
        return [connection.connection is None async for _ in response.streaming_content]

    during = async_to_sync(look)()
    assert during
    assert all(during)


def test_it_names_the_number_of_sensors(client: APIClient, kandy: Plant) -> None:
    machine = Machine.objects.get()
    Sensor.objects.create(machine=machine, slug="other", name="Other")
    response = get(client, sensor_id=[TEMP, RPM, "kandy/rolling/roller-2/other"])
    assert 'filename="3-sensors.csv"' in response["Content-Disposition"]
