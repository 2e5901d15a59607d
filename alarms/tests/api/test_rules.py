"""Rules over REST: made, changed, found, and as they were."""

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from alarms.models import Rule, RuleVersion
from plants.models import Machine, Plant, Sensor, Zone
from plants.tests.conftest import ApiOf

LIST = "/api/v1/rules/"


def url_of(rule: Rule) -> str:
    return f"{LIST}{rule.pk}/"


def test_it_makes_a_rule_on_a_sensor(api_of: ApiOf, temp: Sensor, kandy: Plant) -> None:
    body = {"sensor": str(temp.pk), "kind": "high", "setpoint": 80, "deadband": 2, "severity": "high"}
    response = api_of("bob").post(LIST, body)
    assert response.status_code == 201, response.content
    answer = response.json()
    assert (answer["plant"], answer["version"], answer["schedule"]) == (str(kandy.pk), 1, {})
    assert Rule.objects.get().setpoint == 80


def test_it_makes_a_rule_on_a_type(api_of: ApiOf, temp: Sensor, kandy: Plant) -> None:
    body = {"plant": str(kandy.pk), "sensor_type": "temperature", "kind": "no_data", "message": "Silent"}
    assert api_of("alice").post(LIST, body).status_code == 201
    assert Rule.objects.get().sensor_type == "temperature"


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"kind": "high", "setpoint": 1, "sensor_type": "temperature"}, "plant", "Name the plant, or one sensor."),
        ({"kind": "high"}, "setpoint", "needs a setpoint"),
        ({"kind": "rate", "setpoint": -1}, "setpoint", "Must be above 0."),
        ({"kind": "high", "setpoint": 1, "sensor_type": "speed"}, "", "A rule is about one sensor, or about a type"),
        ({"kind": "deviation", "setpoint": 1}, "", "A deviation, and nothing else, has a sensor"),
        ({"kind": "high", "setpoint": 1, "schedule": {"days": [8]}}, "schedule", "A schedule is"),
        ({"kind": "high", "setpoint": 1, "schedule": None}, "schedule", "may not be null"),
        ({"kind": "high", "setpoint": 1, "deadband": -1}, "deadband", "greater than or equal to 0"),
        ({"kind": "high", "setpoint": 1, "on_delay_s": 1e9}, "on_delay_s", "less than or equal to 604800"),
        ({"kind": "loud", "setpoint": 1}, "kind", "not a valid choice"),
    ],
)
def test_it_names_what_is_wrong(api_of: ApiOf, temp: Sensor, body: dict[str, Any], field: str, words: str) -> None:
    on = {} if body.get("sensor_type") == "temperature" else {"sensor": str(temp.pk)}
    response = api_of("bob").post(LIST, on | body)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert words in error["detail"]


def test_it_refuses_what_is_of_another_plant(api_of: ApiOf, temp: Sensor, rotterdam: Plant, alice: User) -> None:
    power = Sensor.objects.get(slug="power")
    body = {"plant": str(rotterdam.pk), "sensor": str(temp.pk), "kind": "deviation", "setpoint": 1}
    response = api_of(alice).post(LIST, body | {"reference": str(power.pk)})
    assert response.json()["errors"][0] == {
        "field": "reference",
        "code": "invalid",
        "detail": "It belongs to another plant.",
    }
    response = api_of(alice).post(LIST, {**body, "kind": "high"})
    assert response.json()["errors"][0]["field"] == "sensor"


@pytest.mark.parametrize("field", ["plant", "zone", "machine", "sensor", "reference"])
def test_it_knows_nothing_of_other_plants(api_of: ApiOf, high: Rule, rotterdam: Plant, field: str) -> None:
    foreign: dict[str, Any] = {
        "plant": rotterdam,
        "zone": Zone.objects.get(slug="mixing"),
        "machine": Machine.objects.get(slug="mixer-1"),
        "sensor": Sensor.objects.get(slug="power"),
        "reference": Sensor.objects.get(slug="power"),
    }
    response = api_of("bob").patch(url_of(high), {field: str(foreign[field].pk)})
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "does_not_exist"


def test_it_counts_versions_of_real_changes(api_of: ApiOf, high: Rule) -> None:
    bob = api_of("bob")
    assert bob.patch(url_of(high), {"setpoint": 85}).json()["version"] == 2
    assert bob.patch(url_of(high), {"setpoint": 85}).json()["version"] == 2
    answer = api_of("vera").get(f"{url_of(high)}versions/").json()
    assert [(each["number"], each["definition"]["setpoint"]) for each in answer["results"]] == [(1, 80), (2, 85)]


@pytest.mark.parametrize("method", ["patch", "put"])
def test_it_refuses_a_change_of_an_old_version(api_of: ApiOf, high: Rule, method: str) -> None:
    bob = api_of("bob")
    body = {"sensor": str(high.sensor_id), "kind": "high", "setpoint": 85, "version": 1}
    assert getattr(bob, method)(url_of(high), body).json()["version"] == 2
    response = getattr(bob, method)(url_of(high), body | {"setpoint": 90})
    assert response.status_code == 409
    assert response.json()["detail"] == "You read version 1 of the rule, which is at version 2 by now."
    high.refresh_from_db()
    assert high.setpoint == 85


@pytest.mark.django_db(transaction=True)
def test_it_takes_one_of_two_changes_of_a_version(api_of: ApiOf, high: Rule, alice: User, bob: User) -> None:
    clients, start = [api_of(alice), api_of(bob)], Barrier(2)
    statuses: list[int] = []

    def change(client: Any, setpoint: int) -> None:
        start.wait()
        statuses.append(client.patch(url_of(high), {"setpoint": setpoint, "version": 1}).status_code)
        connection.close()

    threads = [Thread(target=change, args=[client, 90 + index]) for index, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]
    assert RuleVersion.objects.count() == 2


def test_it_is_deleted_and_its_versions_stay(api_of: ApiOf, high: Rule) -> None:
    assert api_of("bob").delete(url_of(high)).status_code == 204
    assert RuleVersion.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_answers_options_outside_of_a_transaction(api_of: ApiOf, high: Rule) -> None:
    assert api_of("bob").options(url_of(high)).status_code == 200


@pytest.fixture
def rules(kandy: Plant, rotterdam: Plant) -> dict[str, Rule]:
    temp, power = Sensor.objects.get(slug="temp"), Sensor.objects.get(slug="power")
    make = Rule.objects.create
    machine = temp.machine
    return {
        "temp": make(plant=kandy, sensor=temp, kind="high", setpoint=80),
        "power": make(plant=rotterdam, sensor=power, kind="low", setpoint=1, is_enabled=False),
        "plant": make(plant=kandy, sensor_type="temperature", kind="stuck", setpoint=600),
        "zone": make(plant=kandy, zone=machine.zone, sensor_type="temperature", kind="no_data"),
        "machine": make(plant=kandy, machine=machine, sensor_type="temperature", kind="rate", setpoint=5),
        "speeds": make(plant=kandy, sensor_type="speed", kind="low", setpoint=5),
        "elsewhere": make(plant=rotterdam, sensor_type="temperature", kind="high", setpoint=5),
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("plant=kandy", "temp plant zone machine speeds"),
        ("plant=rotterdam", "power elsewhere"),
        ("zone=kandy/rolling", "zone"),
        ("machine=kandy/rolling/roller-2", "temp machine"),
        ("sensor=kandy/rolling/roller-2/temp", "temp plant zone machine"),
        ("sensor=kandy/rolling/roller-2/rpm", "speeds"),
        ("sensor=kandy/rolling/roller-2/state", ""),  # of no type, as the rules on one sensor are of none
        ("sensor=rotterdam/mixing/mixer-1/power", "power"),
        ("kind=low", "power speeds"),
        ("is_enabled=false", "power"),
        ("sensor_type=speed", "speeds"),
        ("severity=low", ""),
        ("search=temper", "temp plant zone machine elsewhere"),
    ],
)
def test_it_filters(api_of: ApiOf, rules: dict[str, Rule], query: str, expected: str) -> None:
    names = {str(rule.pk): name for name, rule in rules.items()}
    results = api_of("alice").get(f"{LIST}?{query}").json()["results"]
    assert {names[each["id"]] for each in results} == set(expected.split())


def test_it_lists_those_of_ones_plants_only(api_of: ApiOf, rules: dict[str, Rule]) -> None:
    assert api_of("charlie").get(LIST).json()["count"] == 2
    assert api_of("charlie").get(url_of(rules["temp"])).status_code == 404


def test_it_is_written_by_operators_of_the_plant(api_of: ApiOf, high: Rule) -> None:
    for persona, status in (("vera", 403), ("charlie", 404), ("anonymous", 401)):
        assert api_of(persona).patch(url_of(high), {"setpoint": 1}).status_code == status
        assert api_of(persona).delete(url_of(high)).status_code == status


@pytest.mark.parametrize(("message", "label"), [("Bearing is hot", "Bearing is hot"), ("", "Kandy, Temperature")])
def test_it_has_a_name_in_the_audit(api_of: ApiOf, temp: Sensor, message: str, label: str) -> None:
    api_of("alice").post(LIST, {"sensor": str(temp.pk), "kind": "high", "setpoint": 80, "message": message})
    (entry,) = api_of("alice").get("/api/v1/audit/?object_type=rule").json()["results"]
    assert entry["object"]["label"] == label
