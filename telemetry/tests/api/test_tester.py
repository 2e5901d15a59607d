"""The topic tester answers as ingest would act, and stores nothing."""

from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from plants.models import Plant, Sensor
from telemetry.models import Reading
from telemetry.tests.samples import TEMP, ms

URL = "/api/v1/telemetry/test"
TOPIC = "inqube/v1/kandy/rolling/roller-2/t"


@pytest.fixture
def ask(client: Client, bob: User) -> Any:
    def ask(topic: str, payload: str, user: User = bob) -> list[dict[str, Any]]:
        client.force_login(user)
        response = client.post(URL, {"topic": topic, "payload": payload}, content_type="application/json")
        assert response.status_code == 200, response.content
        return response.json()

    return ask


def test_it_tells_what_would_be_stored(ask: Any) -> None:
    sensor = Sensor.objects.named([TEMP]).get()
    (sample,) = ask(f"{TOPIC}/temp", f'{{"v": 23.4, "ts": {ms(now())}, "q": "uncertain"}}')
    timestamp = sample.pop("timestamp")
    assert timestamp.endswith("Z")
    assert sample == {
        "address": TEMP,
        "sensor_id": str(sensor.pk),
        "sensor_number": sensor.number,
        "unit": "°C",
        "value": 23.4,
        "quality": 64,
        "outcome": "stored",
        "reason": None,
        "detail": "",
    }


def test_it_stores_nothing(ask: Any) -> None:
    ask(f"{TOPIC}/temp", "23.4")
    assert not Reading.objects.exists()


def test_it_gives_a_state_by_its_number(ask: Any) -> None:
    (sample,) = ask(f"{TOPIC}/state", '"idle"')
    assert (sample["outcome"], sample["value"]) == ("stored", 2.0)


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("factory/kandy/temp", "23.4", "invalid_topic"),
        (f"{TOPIC}/temp", "23,4", "invalid_json"),
        (f"{TOPIC}/temp", '"hot"', "not_a_number"),
        (f"{TOPIC}/nope", "1", "unknown_sensor"),
        (TOPIC.replace("kandy", "nowhere") + "/temp", "1", "unknown_plant"),
        (f"{TOPIC}/temp", '{"v": 1, "ts": 9007199254740991000}', "timestamp_out_of_range"),
        (f"{TOPIC}/temp", "", "invalid_json"),
        (f"{TOPIC}/temp", "[" + "0," * 140_000 + "0]", "too_large"),
    ],
)
def test_it_tells_why_not(ask: Any, topic: str, payload: str, reason: str) -> None:
    (sample,) = ask(topic, payload)
    assert (sample["outcome"], sample["reason"], sample["value"]) == ("rejected", reason, None)
    assert sample["detail"]


def test_it_tells_of_each_sample_of_a_message(ask: Any) -> None:
    found = ask(TOPIC, '{"values": {"temp": 1.5, "nope": 2, "rpm": {"q": 0}}}')
    assert [(each["address"].rpartition("/")[2], each["reason"]) for each in found] == [
        ("temp", None),
        ("nope", "unknown_sensor"),
        ("rpm", "invalid_json"),
    ]


def test_it_does_not_know_foreign_plants(ask: Any, rotterdam: Plant) -> None:
    """It answers as for a plant that there is not, in the same words."""
    (foreign,) = ask("inqube/v1/rotterdam/mixing/mixer-1/t/power", "1")
    (nowhere,) = ask("inqube/v1/nowhere/mixing/mixer-1/t/power", "1")
    assert foreign["reason"] == "unknown_plant"
    assert foreign["detail"].replace("rotterdam", "nowhere") == nowhere["detail"]


def test_it_is_not_for_viewers(client: Client, vera: User) -> None:
    client.force_login(vera)
    body = {"topic": f"{TOPIC}/temp", "payload": "1"}
    assert client.post(URL, body, content_type="application/json").status_code == 403
