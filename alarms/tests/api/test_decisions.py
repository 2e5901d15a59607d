"""Decisions over REST: written once, found, and exported."""

import csv
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import Error, transaction
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Alarm, Decision, Source
from plants.models import Machine, Plant, Sensor
from plants.tests.conftest import ApiOf

LIST = "/api/v1/decisions/"
WHY: dict[str, Any] = {"action": "manual_action", "reason": "Opened the damper by hand."}


@pytest.fixture
def machine(kandy: Plant) -> Machine:
    return Machine.objects.get(slug="roller-2")


@pytest.fixture
def decision(machine: Machine, bob: User, temp: Sensor) -> Decision:
    return Decision.objects.record(Actor(bob, Source.PAGE), machine=machine, sensors=[temp.pk], **WHY)


def found(api_of: ApiOf, query: str) -> list[str]:
    return [each["id"] for each in api_of("vera").get(f"{LIST}?{query}").json()["results"]]


def exported(api_of: ApiOf, query: str = "") -> list[dict[str, str]]:
    async def collect(chunks: AsyncIterator[bytes]) -> bytes:
        return b"".join([chunk async for chunk in chunks])

    response: Any = api_of("vera").get(f"{LIST}?format=csv&{query}")
    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="decisions.csv"'
    return list(csv.DictReader(async_to_sync(collect)(response.streaming_content).decode().splitlines()))


def test_it_writes_down_who_decided_what_about_an_alarm(api_of: ApiOf, alarm: Alarm, bob: User, temp: Sensor) -> None:
    response = api_of("bob").post(LIST, {"alarm": str(alarm.pk), "sensors": [str(temp.pk)], **WHY})
    assert response.status_code == 201, response.content
    answer = response.json()
    told = {name: answer[name] for name in ("plant", "alarm", "machine", "sensors", "user", "actor", "source")}
    assert told == {
        "plant": str(alarm.plant_id),
        "alarm": str(alarm.pk),
        "machine": str(alarm.machine_id),
        "sensors": [str(temp.pk)],
        "user": str(bob.pk),
        "actor": "Bob",
        "source": "api",
    }
    assert api_of("vera").get(f"{LIST}{answer['id']}/").json() == answer


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"machine": None}, "machine"),
        ({"reason": " "}, "reason"),
        ({"action": "ignore"}, "action"),
        ({"sensors": [str(uuid4())]}, "sensors"),
        ({"sensors": [str(uuid4()) for _ in range(21)]}, "sensors"),
    ],
)
def test_it_names_what_is_wrong(api_of: ApiOf, machine: Machine, change: dict[str, Any], field: str) -> None:
    response = api_of("bob").post(LIST, {"machine": str(machine.pk), **WHY} | change, format="json")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == field
    assert not Decision.objects.exists()


def test_it_is_about_one_of_both(api_of: ApiOf, alarm: Alarm, machine: Machine) -> None:
    for about in ({}, {"alarm": str(alarm.pk), "machine": str(machine.pk)}):
        response = api_of("bob").post(LIST, about | WHY)
        assert response.status_code == 400
        assert "name one of both" in response.json()["detail"]


def test_it_names_no_sensor_of_another_plant(api_of: ApiOf, machine: Machine, rotterdam: Plant, alice: User) -> None:
    power = Sensor.objects.get(slug="power")
    response = api_of(alice).post(LIST, {"machine": str(machine.pk), "sensors": [str(power.pk)], **WHY})
    assert response.json()["errors"][0]["field"] == "sensors"


def test_it_is_written_by_operators_and_read_by_members(api_of: ApiOf, decision: Decision, machine: Machine) -> None:
    body = {"machine": str(machine.pk), **WHY}
    for persona, written, read in (("vera", 403, 200), ("charlie", 400, 404), ("anonymous", 401, 401)):
        assert api_of(persona).post(LIST, body).status_code == written
        assert api_of(persona).get(f"{LIST}{decision.pk}/").status_code == read
    assert api_of("charlie").get(LIST).json()["count"] == 0


def test_it_is_never_changed(api_of: ApiOf, decision: Decision) -> None:
    for method in ("put", "patch", "delete"):
        assert getattr(api_of("bob"), method)(f"{LIST}{decision.pk}/", WHY).status_code == 405
    for change in (lambda: Decision.objects.update(reason="x"), lambda: Decision.objects.all().delete()):
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("plant=kandy", True),
        ("plant=rotterdam", False),
        ("machine=kandy/rolling/roller-2", True),
        ("sensor=kandy/rolling/roller-2/temp", True),
        ("sensor=kandy/rolling/roller-2/rpm", False),
        ("action=accept&action=manual_action", True),
        ("action=accept", False),
        ("alarm=00000000-0000-0000-0000-000000000000", False),
        ("user=00000000-0000-0000-0000-000000000000", False),
        ("after=2020-01-01T00:00:00Z", True),
        ("before=2020-01-01T00:00:00Z", False),
        ("search=damper", True),
        ("search=belt", False),
    ],
)
def test_it_filters_lists_and_files_alike(api_of: ApiOf, decision: Decision, query: str, is_found: bool) -> None:
    expected = [str(decision.pk)] if is_found else []
    assert found(api_of, query) == expected
    assert [row["id"] for row in exported(api_of, query)] == expected


def test_it_exports_more_than_a_batch_and_no_formulas(
    api_of: ApiOf, machine: Machine, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alarms.api.decisions.EXPORT_BATCH", 2)
    moment = now()
    for minutes in (0, 1, 1, 1, 2):
        Decision.objects.record(
            Actor(bob, Source.API),
            machine=machine,
            action="defer",
            reason=f"=later({minutes})",
            at=moment - timedelta(minutes=minutes),
        )
    rows = exported(api_of)
    assert [row["reason"] for row in rows] == [f"'=later({minutes})" for minutes in (0, 1, 1, 1, 2)]
    assert len({row["id"] for row in rows}) == 5
    assert (rows[0]["actor"], rows[0]["sensors"], rows[0]["machine_id"]) == ("Bob", "", str(machine.pk))
