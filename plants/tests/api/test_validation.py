"""What a model or the database refuses is a 400 that names the field, never a 500."""

import json
from typing import Any

import pytest
from django.db import IntegrityError

from plants.models import Machine, Plant, Sensor, Zone
from plants.tests.conftest import ApiOf


def errors(response: Any) -> dict[str, str]:
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    return {error["field"]: error["detail"] for error in response.json()["errors"]}


@pytest.fixture
def machine(kandy: Plant) -> Machine:
    return Machine.objects.get(slug="roller-2")


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("plants", {"slug": "kandy"}, "plant with this slug already exists."),
        ("zones", {"slug": "rolling"}, "The plant has a zone with this slug already."),
        ("machines", {"slug": "roller-2"}, "The zone has a machine with this slug already."),
        ("sensors", {"slug": "temp"}, "The machine has a sensor with this slug already."),
    ],
)
def test_it_takes_a_slug_once(api_of: ApiOf, machine: Machine, kind: str, body: dict, message: str) -> None:
    parents = {
        "plants": {},
        "zones": {"plant": machine.zone.plant_id},
        "machines": {"zone": machine.zone_id},
        "sensors": {"machine": machine.id},
    }
    response = api_of("alice").post(f"/api/v1/{kind}/", body | {"name": "Twice"} | parents[kind])
    assert errors(response) == {"slug": message}


def test_it_takes_a_slug_once_also_in_a_change(api_of: ApiOf, kandy: Plant) -> None:
    rpm = Sensor.objects.get(slug="rpm")
    response = api_of("bob").patch(f"/api/v1/sensors/{rpm.id}/", {"slug": "temp"})
    assert errors(response) == {"slug": "The machine has a sensor with this slug already."}
    assert api_of("bob").patch(f"/api/v1/sensors/{rpm.id}/", {"slug": "rpm"}).status_code == 200


def test_it_answers_the_loser_of_a_race_for_a_slug(
    api_of: ApiOf, kandy: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first validation is blinded, as if the other request had not committed yet."""
    alice = api_of("alice")
    original = Zone.validate_constraints
    calls = []

    def validate_constraints(zone: Zone, exclude: Any = None) -> None:
        calls.append(zone)
        if len(calls) > 1:
            original(zone, exclude)

    monkeypatch.setattr(Zone, "validate_constraints", validate_constraints)
    response = alice.post("/api/v1/zones/", {"plant": kandy.id, "slug": "rolling", "name": "Twice"})
    assert errors(response) == {"slug": "The plant has a zone with this slug already."}
    assert len(calls) == 2


def test_it_does_not_hide_an_integrity_error_that_validation_cannot_explain(
    api_of: ApiOf, kandy: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = api_of("alice")
    monkeypatch.setattr(Zone, "validate_constraints", lambda *_, **__: None)
    with pytest.raises(IntegrityError):
        alice.post("/api/v1/zones/", {"plant": kandy.id, "slug": "rolling", "name": "Twice"})


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("slug", '"Temp 2"'),
        ("slug", '"a/b"'),
        ("slug", '"' + "x" * 64 + '"'),
        ("slug", '"' + "x" * 1_000_000 + '"'),
        ("slug", r'"a\u0000"'),
        ("slug", "null"),
        ("slug", "{}"),
        ("name", '""'),
        ("name", r'"a\u0000b"'),
        ("name", r'"\ud800"'),
        ("name", '"' + "x" * 121 + '"'),
        ("unit", '"' + "x" * 21 + '"'),
        ("kind", '"banana"'),
        ("kind", "[]"),
        ("low", "1e999"),
        ("low", "1" + "0" * 400),
        ("low", '"nan"'),
        ("high", '"Infinity"'),
        ("stale_after_s", "0"),
        ("stale_after_s", "-1"),
        ("stale_after_s", "null"),
        ("expected_interval_s", "-1"),
        ("rollover_at", "65536"),
        ("decimals", "11"),
        ("decimals", "-1"),
        ("position", "99999999999999999999"),
        ("position", "1.5"),
        ("states", '{"a": "b"}'),
        ("states", r'{"0": "\u0000"}'),
        ("states", r'{"0": "\ud800"}'),
        ("states", "3"),
        ("is_active", '"maybe"'),
        ("machine", '"x"'),
        ("machine", "{}"),
        ("machine", "null"),
    ],
)
def test_it_refuses_a_bad_value(api_of: ApiOf, kandy: Plant, field: str, raw: str) -> None:
    sensor = Sensor.objects.get(slug="temp")
    body = f'{{"{field}": {raw}}}'
    response = api_of("bob").patch(f"/api/v1/sensors/{sensor.id}/", body, content_type="application/json")
    assert [name.partition(".")[0] for name in errors(response)] == [field]


def test_it_checks_fields_against_each_other(api_of: ApiOf, kandy: Plant) -> None:
    sensor = Sensor.objects.get(slug="temp")
    bob = api_of("bob")
    assert bob.patch(f"/api/v1/sensors/{sensor.id}/", {"low": 10}).status_code == 200
    assert set(errors(bob.patch(f"/api/v1/sensors/{sensor.id}/", {"high": 5}))) == {"high"}
    assert set(errors(bob.patch(f"/api/v1/sensors/{sensor.id}/", {"kind": "state"}))) == {"states"}


def test_it_lets_a_counter_alone_roll_over_and_only_above_zero(api_of: ApiOf, kandy: Plant) -> None:
    path = f"/api/v1/sensors/{Sensor.objects.get(slug='rpm').id}/"
    bob = api_of("bob")
    assert set(errors(bob.patch(path, {"kind": "counter", "rollover_at": 0}))) == {"rollover_at"}
    assert bob.patch(path, {"kind": "counter", "rollover_at": 65536}).json()["rollover_at"] == 65536
    assert set(errors(bob.patch(path, {"kind": "gauge"}))) == {"rollover_at"}


def test_it_refuses_an_unknown_time_zone(api_of: ApiOf, kandy: Plant) -> None:
    response = api_of("bob").patch(f"/api/v1/plants/{kandy.id}/", {"timezone": "Kandy"})
    assert set(errors(response)) == {"timezone"}


def test_it_writes_only_what_was_sent(api_of: ApiOf, kandy: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people change different fields of one sensor at once: both changes stay."""
    sensor = Sensor.objects.get(slug="temp")
    original = Sensor.validate_constraints

    def validate_constraints(self: Sensor, exclude: Any = None) -> None:
        Sensor.objects.filter(pk=sensor.pk).update(name="Renamed meanwhile")
        original(self, exclude)

    bob = api_of("bob")
    monkeypatch.setattr(Sensor, "validate_constraints", validate_constraints)
    assert bob.patch(f"/api/v1/sensors/{sensor.id}/", {"unit": "K"}).status_code == 200
    sensor.refresh_from_db()
    assert (sensor.name, sensor.unit) == ("Renamed meanwhile", "K")


def test_it_does_not_revive_a_row_that_was_deleted_meanwhile(
    api_of: ApiOf, kandy: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = Sensor.objects.get(slug="temp")
    bob = api_of("bob")
    monkeypatch.setattr(Sensor, "validate_constraints", lambda *_, **__: Sensor.objects.filter(pk=sensor.pk).delete())
    assert bob.patch(f"/api/v1/sensors/{sensor.id}/", {"unit": "K"}).status_code == 404
    assert not Sensor.objects.filter(pk=sensor.pk).exists()


@pytest.mark.parametrize("body", ["", "{", "[]", "1", "NaN", '{"low": NaN}', "[" * 100_000, '{"a":' * 100_000])
def test_it_answers_odd_bodies_with_a_problem(api_of: ApiOf, kandy: Plant, body: str) -> None:
    response = api_of("bob").post("/api/v1/sensors/", body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_it_keeps_states_as_they_were_sent(api_of: ApiOf, kandy: Plant) -> None:
    sensor = Sensor.objects.get(slug="state")
    states = {"0": "停止", "1": "Läuft"}
    body = json.dumps({"states": states})
    response = api_of("bob").patch(f"/api/v1/sensors/{sensor.id}/", body, content_type="application/json")
    assert response.json()["states"] == states
