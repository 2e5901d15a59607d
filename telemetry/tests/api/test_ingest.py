"""Readings over HTTP: who may send which, and what became of each."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connection, connections
from django.db.models import Sum
from django.test import Client
from django.utils.timezone import now

from accounts import throttles
from accounts.models import User
from accounts.tokens import issue_access_token
from plants.models import Plant, Sensor
from plants.models.devices import Device, hashed
from telemetry.ingest import http
from telemetry.ingest.ledger import Kind
from telemetry.ingest.validate import window
from telemetry.live.frames import from_layer, group
from telemetry.models import DeadLetter, DiscoveredSensor, Latest, LedgerEntry, Reading
from telemetry.readings import Message
from telemetry.replay import replay
from telemetry.tester import examine
from telemetry.tests.samples import TEMP, dead, ms, us

URL = "/api/v1/telemetry/"
RPM = "kandy/rolling/roller-2/rpm"
POWER = "rotterdam/mixing/mixer-1/power"
SECRET = "a secret: with a colon"


@pytest.fixture
def device(kandy: Plant) -> Device:
    return Device.objects.create(plant=kandy, name="gateway", secret_hash=hashed(SECRET))


def basic(name: str, secret: str = SECRET) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def bearer(user: User) -> str:
    return f"Bearer {issue_access_token(user)}"


def send(body: Any, authorization: str = basic("kandy/gateway"), **headers: str) -> Any:
    payload = body if isinstance(body, bytes | str) else json.dumps(body)
    return Client().post(
        URL, payload, content_type="application/json", headers={"Authorization": authorization, **headers}
    )


def answer(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    return response.json()


def reasons(response: Any) -> dict[int, str]:
    return {each["index"]: each["reason"] for each in answer(response)["rejected"]}


def test_it_stores_what_a_device_sends(device: Device) -> None:
    at = now() - timedelta(minutes=1)
    found = answer(send([{"sensor": TEMP, "v": 23.4, "ts": ms(at), "q": "uncertain"}, {"sensor": RPM, "v": 1480}]))
    assert found == {"received": 2, "stored": 2, "duplicate": 0, "conflict": 0, "rejected": []}
    reading = Reading.objects.get(sensor__slug="temp")
    assert (reading.value, reading.quality, ms(reading.time)) == (23.4, 64, ms(at))
    assert Latest.objects.get(sensor__slug="temp").value == 23.4


def test_it_quarantines_what_is_for_a_sensor_that_does_not_exist(device: Device, bob: User) -> None:
    at = ms(now())
    new = [{"sensor": "kandy/a/b/new", "v": 1.5, "ts": at}]
    assert reasons(send([{"sensor": TEMP, "v": 1}, *new])) == {1: "unknown_sensor"}
    assert reasons(send([new[0] | {"ts": at - 1}], bearer(bob))) == {0: "unknown_sensor"}
    assert DiscoveredSensor.objects.values_list("address", "kept").get() == ("kandy/a/b/new", 2)


def test_it_quarantines_nothing_that_is_not_the_senders(device: Device, bob: User, rotterdam: Plant) -> None:
    Device.objects.update(prefix="rolling")
    foreign = [{"sensor": f"{place}/new", "v": 1} for place in ("rotterdam/mixing/mixer-1", "ghost/a/b")]
    assert set(reasons(send([*foreign, {"sensor": "kandy/a/b/new", "v": 1}])).values()) == {"unknown_sensor"}
    assert set(reasons(send(foreign, bearer(bob))).values()) == {"unknown_plant"}
    assert not DiscoveredSensor.objects.exists()


def test_it_quarantines_nothing_with_a_time_that_is_refused(device: Device, bob: User) -> None:
    body = [{"sensor": "kandy/a/b/new", "v": 1, "ts": 1}]
    assert reasons(send(body)) == reasons(send(body, bearer(bob))) == {0: "timestamp_out_of_range"}
    assert not DiscoveredSensor.objects.exists()


def test_it_takes_the_devices_id_for_its_name(device: Device) -> None:
    assert answer(send([{"sensor": TEMP, "v": 1}], basic(str(device.pk))))["stored"] == 1


def test_it_takes_readings_of_operators(bob: User, rotterdam: Plant) -> None:
    body = [{"sensor": TEMP, "v": 1}, {"sensor": POWER, "v": 1}]
    assert reasons(send(body, bearer(bob))) == {1: "unknown_plant"}


def test_it_answers_a_repetition_by_the_counts_alone(device: Device) -> None:
    at = ms(now())
    body = [{"sensor": TEMP, "v": 1, "ts": at}, {"sensor": TEMP, "v": "hot", "ts": at}]
    first, second = answer(send(body)), answer(send(body))
    assert (first.pop("stored"), first.pop("duplicate")) == (1, 0)
    assert (second.pop("stored"), second.pop("duplicate")) == (0, 1)
    assert first == second
    assert Reading.objects.count() == 1


def test_it_counts_another_value_for_the_same_time_as_a_conflict(device: Device) -> None:
    at = ms(now())
    send([{"sensor": TEMP, "v": 1, "ts": at}])
    assert answer(send([{"sensor": TEMP, "v": 2, "ts": at}]))["conflict"] == 1
    assert Reading.objects.get().value == 1


def test_it_tells_of_each_that_cannot_be_stored(device: Device) -> None:
    Sensor.objects.filter(slug="rpm").update(is_active=False)
    body = [
        {"sensor": TEMP, "v": 1},
        {"sensor": TEMP, "v": "23,4"},
        {"sensor": TEMP, "v": 2**60},
        {"sensor": TEMP, "v": 1, "q": 256},
        {"sensor": TEMP, "v": 1, "ts": "yesterday"},
        {"sensor": TEMP, "v": 1, "ts": 12},
        {"sensor": "kandy/rolling/roller-2/nope", "v": 1},
        {"sensor": RPM, "v": 1},
        {"sensor": "kandy/rolling/roller-2/state", "v": "asleep"},
        {"sensor": 17, "v": 1},
        {"v": 1},
        "text",
    ]
    assert reasons(send(body)) == {
        1: "not_a_number",
        2: "integer_too_large",
        3: "bad_quality",
        4: "bad_timestamp",
        5: "timestamp_out_of_range",
        6: "unknown_sensor",
        7: "sensor_inactive",
        8: "unknown_state",
        9: "invalid_json",
        10: "invalid_json",
        11: "invalid_json",
    }
    assert dead(Kind.HTTP)["invalid_json"] == 3
    assert Reading.objects.count() == 1


def test_it_finds_the_sample_that_only_the_database_refuses(device: Device) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE reading ADD CONSTRAINT no_poison CHECK (value <> 666)")
    at = ms(now())
    body = [{"sensor": "kandy/nowhere/a/b", "v": 1}, *({"sensor": TEMP, "v": v, "ts": at + v} for v in (1, 666, 3))]
    response = send(body)
    assert reasons(response) == {0: "unknown_sensor", 2: "database_rejected"}
    assert answer(response)["stored"] == 2


@pytest.mark.parametrize("prefix", ["rolling", "rolling/roller-2"])
def test_it_lets_a_device_send_below_its_prefix(device: Device, prefix: str) -> None:
    Device.objects.update(prefix=prefix)
    assert answer(send([{"sensor": TEMP, "v": 1}]))["stored"] == 1


@pytest.mark.parametrize("prefix", ["rollin", "rolling/roller", "drying"])
def test_it_does_not_know_what_lies_outside_a_devices_prefix(device: Device, prefix: str) -> None:
    """In the same words as for what there is not."""
    Device.objects.update(prefix=prefix)
    found = answer(send([{"sensor": TEMP, "v": 1}, {"sensor": f"{TEMP}-x", "v": 1}]))
    there, nowhere = found["rejected"]
    assert there["reason"] == "unknown_sensor"
    assert nowhere["detail"] == there["detail"].replace(TEMP, f"{TEMP}-x")
    assert not Reading.objects.exists()


def test_it_does_not_know_other_plants(device: Device, rotterdam: Plant) -> None:
    found = answer(send([{"sensor": POWER, "v": 1}, {"sensor": "nowhere/mixing/mixer-1/power", "v": 1}]))
    there, nowhere = found["rejected"]
    assert there["reason"] == nowhere["reason"] == "unknown_sensor"
    assert nowhere["detail"] == there["detail"].replace("rotterdam", "nowhere")


@pytest.mark.parametrize("address", ["", "kandy", "\0", "kandy/rolling/roller-2/temp/", "é" * 10_000, "a/b/c/d/e"])
def test_it_takes_any_text_for_an_address(device: Device, bob: User, address: str) -> None:
    for authorization in (basic("kandy/gateway"), bearer(bob)):
        (only,) = answer(send([{"sensor": address, "v": 1}], authorization))["rejected"]
        assert only["reason"] in ("unknown_sensor", "unknown_plant")
        assert len(only["detail"]) < 1000


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "invalid_json"),
        ("{", 400, "invalid_json"),
        ('{"sensor": "a"}', 400, "invalid_json"),
        ("[NaN]", 400, "not_finite"),
        (json.dumps([{"sensor": "a", "v": 1}] * 10_001), 400, "too_many_samples"),
        ("[" * 300_000, 413, None),
    ],
)
def test_it_refuses_a_body_that_cannot_be_read(device: Device, body: str, status: int, code: str | None) -> None:
    response = send(body)
    assert response.status_code == status, response.content
    assert [error["code"] for error in response.json()["errors"]] == ([code] if code else [])


def test_it_takes_an_empty_list(device: Device) -> None:
    assert answer(send([]))["received"] == 0


@pytest.mark.parametrize(
    "authorization",
    [
        basic("kandy/gateway", "wrong"),
        basic("kandy/other"),
        basic("00000000-0000-0000-0000-000000000000"),
        basic("\0"),
        "Basic ",
        "Basic *",
        "Basic " + base64.b64encode(b"\xff").decode(),
    ],
)
def test_it_refuses_wrong_credentials(device: Device, authorization: str) -> None:
    response = send([{"sensor": TEMP, "v": 1}], authorization)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic")
    assert not Reading.objects.exists()


def test_it_does_not_offer_basic_to_browsers(db: None) -> None:
    response = Client().post(URL, "[]", content_type="application/json")
    assert (response.status_code, response["WWW-Authenticate"].split()[0]) == (401, "Bearer")


def test_it_refuses_a_revoked_device(device: Device) -> None:
    device.revoke()
    assert send([]).status_code == 401


def test_it_is_not_for_viewers(vera: User) -> None:
    assert send([], bearer(vera)).status_code == 403


def test_it_gives_devices_access_to_nothing_else(device: Device) -> None:
    headers = {"Authorization": basic("kandy/gateway")}
    assert Client().get("/api/v1/telemetry/latest", headers=headers).status_code == 401


def test_it_notes_when_the_device_was_seen(device: Device) -> None:
    send([])
    device.refresh_from_db()
    assert device.last_seen is not None


def test_it_says_when_nothing_may_be_stored(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: Any) -> Any:
        raise psycopg.OperationalError("the server is away")

    monkeypatch.setattr(http, "write", write)
    response = send([{"sensor": TEMP, "v": 1}])
    assert (response.status_code, response["Retry-After"]) == (503, "5")


class TestLetters:
    """What is no reading is kept here, too, for those who operate the plant."""

    def test_it_keeps_what_it_rejects_with_the_device_as_its_source(self, device: Device, kandy: Plant) -> None:
        good, comma, unknown = (
            {"sensor": TEMP, "v": 1},
            {"sensor": TEMP, "v": "23,4"},
            {"sensor": "kandy/rolling/roller-2/none", "v": 2},
        )
        answer(send([good, comma, unknown]))
        kept = {letter.reason: letter for letter in DeadLetter.objects.all()}
        assert set(kept) == {"not_a_number", "unknown_sensor"}
        letter = kept["not_a_number"]
        assert (letter.source, letter.plant, letter.address) == ("kandy/gateway", kandy, TEMP)
        assert json.loads(bytes(letter.payload)) == [comma]

    def test_it_keeps_a_body_that_cannot_be_read(self, device: Device) -> None:
        assert send(b"[{").status_code == 400
        letter = DeadLetter.objects.get()
        assert (letter.reason, bytes(letter.payload)) == ("invalid_json", b"[{")

    def test_it_keeps_what_is_sent_again_once(self, device: Device) -> None:
        body = [{"sensor": TEMP, "v": "23,4", "ts": ms(now())}]
        for _ in range(3):
            answer(send(body))
        assert DeadLetter.objects.get().seen == 3

    def test_it_keeps_alike_letters_of_two_devices_apart(self, device: Device, kandy: Plant) -> None:
        Device.objects.create(plant=kandy, name="other", secret_hash=hashed(SECRET))
        for name in ("kandy/gateway", "kandy/other"):
            answer(send([{"sensor": TEMP, "v": "23,4"}], basic(name)))
        assert set(DeadLetter.objects.values_list("source", flat=True)) == {"kandy/gateway", "kandy/other"}

    def test_it_shows_nobody_elses_plant_what_a_device_sends_by_mistake(self, device: Device, kandy: Plant) -> None:
        answer(send([{"sensor": POWER, "v": 1}]))
        assert DeadLetter.objects.get().plant == kandy

    def test_it_shows_an_operators_mistake_in_the_plant_that_it_is_about(self, bob: User, kandy: Plant) -> None:
        answer(send([{"sensor": TEMP, "v": "x"}, {"sensor": "nowhere/a/b/c", "v": 1}], bearer(bob)))
        assert dict(DeadLetter.objects.values_list("reason", "plant")) == {
            "not_a_number": kandy.pk,
            "unknown_plant": None,
        }
        assert set(DeadLetter.objects.values_list("source", flat=True)) == {bob.email}

    @pytest.mark.django_db(transaction=True)
    def test_it_is_replayed_after_the_fix(self, device: Device, alice: User, kandy: Plant) -> None:
        sent = {"sensor": "kandy/rolling/roller-2/new", "v": 7, "ts": ms(now())}
        answer(send([sent, {"sensor": TEMP, "v": 1}]))
        Sensor.objects.create(machine=Sensor.objects.named([TEMP]).get().machine, slug="new", name="New")
        (outcome,) = replay(DeadLetter.objects.all(), alice, now(), 90)
        assert (outcome.state, outcome.stored) == ("replayed", 1)

    def test_it_can_be_looked_at_in_the_tester(self, device: Device, bob: User) -> None:
        answer(send([{"sensor": TEMP, "v": "23,4"}]))
        letter = DeadLetter.objects.get()
        message = Message(letter.topic, bytes(letter.payload), us(letter.received_at), None)
        (tested,) = examine(message, bob, window(us(now()), 90))
        assert (tested.address, tested.reason) == (TEMP, "not_a_number")

    def test_it_accounts_for_what_came(self, device: Device) -> None:
        answer(send([{"sensor": TEMP, "v": 1}, {"sensor": TEMP, "v": "23,4"}]))
        send(b"[{")
        entries = LedgerEntry.objects.filter(kind="http", source="kandy/gateway")
        assert entries.aggregate(Sum("received"), Sum("stored"), Sum("dead")) == {
            "received__sum": 3,
            "stored__sum": 1,
            "dead__sum": 2,
        }


class TestLimits:
    @pytest.fixture(autouse=True)
    def limits(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.THROTTLES = {"wrong_device": 2, "wrong_devices": 4, "ingest": 3}
        settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": f"throttle-test-{uuid4()}"}}
        monkeypatch.setattr(throttles, "ledger", throttles.Ledger())
        monkeypatch.setattr("accounts.throttles.time.time", lambda: 1_800_000_000.5)

    def test_it_locks_a_device_after_wrong_tries(self, device: Device, rotterdam: Plant) -> None:
        Device.objects.create(plant=rotterdam, name="gateway", secret_hash=hashed(SECRET))
        assert [send([], basic("kandy/gateway", "wrong")).status_code for _ in range(3)] == [401, 401, 429]
        assert send([]).status_code == 429
        assert send([], basic("rotterdam/gateway")).status_code == 200

    def test_it_locks_an_address_after_many_wrong_tries(self, device: Device) -> None:
        statuses = [send([], basic(f"kandy/{number}")).status_code for number in range(5)]
        assert statuses == [401, 401, 401, 401, 429]
        assert send([]).status_code == 429

    def test_it_counts_requests_by_device(self, device: Device, alice: User) -> None:
        assert [send([]).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert send([], bearer(alice)).status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_it_shows_live_what_it_has_committed(transactional_db: None, device: Device) -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(group(device.plant_id), channel)
    response = await sync_to_async(send)([{"sensor": TEMP, "v": 23.5}])
    async with asyncio.timeout(5):
        frame = from_layer(await layer.receive(channel))
    await layer.group_discard(group(device.plant_id), channel)
    (row,) = frame.rows
    assert (answer(response)["stored"], row[2]) == (1, 23.5)
    await sync_to_async(connections.close_all)()
