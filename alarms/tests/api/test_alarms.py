"""Alarms over REST: found, read, and the journal of one."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Alarm, Source, Subject
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor
from plants.tests.conftest import ApiOf

LIST = "/api/v1/alarms/"


def get(api_of: ApiOf, persona: str, url: str) -> Any:
    response = api_of(persona).get(url)
    assert response.status_code == 200, response.content
    return response.json()


def found(api_of: ApiOf, query: str, persona: str = "vera") -> list[str]:
    return [each["id"] for each in get(api_of, persona, f"{LIST}?{query}")["results"]]


def test_it_says_all_about_an_alarm(api_of: ApiOf, alarm: Alarm, temp: Sensor, bob: User) -> None:
    alarm.acknowledge(Actor(bob, Source.PAGE))
    answer = get(api_of, "vera", f"{LIST}{alarm.pk}/")
    told = {name: answer[name] for name in ("address", "sensor", "sensor_number", "unit", "kind", "setpoint")}
    assert told == {
        "address": "kandy/rolling/roller-2/temp",
        "sensor": str(temp.pk),
        "sensor_number": temp.number,
        "unit": "°C",
        "kind": "high",
        "setpoint": 80.0,
    }
    assert (answer["rule_version"], answer["advice"], answer["state"]) == (1, "Look at the bearing.", "acknowledged")
    assert answer["acknowledged_by"] == {"id": str(bob.pk), "name": "Bob"}
    assert answer["assigned_to"] is None


def test_it_tells_the_rule_as_it_was(api_of: ApiOf, alarm: Alarm) -> None:
    assert alarm.rule is not None
    alarm.rule.setpoint = 95
    alarm.rule.save()
    alarm.rule.delete()
    answer = get(api_of, "vera", f"{LIST}{alarm.pk}/")
    assert (answer["rule"], answer["setpoint"], answer["rule_version"]) == (None, 80.0, 1)


def test_it_names_the_machine_that_is_silent(api_of: ApiOf, alarm: Alarm) -> None:
    Alarm.objects.update(subject=Subject.MACHINE, sensor=None)
    answer = get(api_of, "vera", f"{LIST}{alarm.pk}/")
    assert (answer["address"], answer["sensor_number"], answer["unit"]) == ("kandy/rolling/roller-2", None, "")


def test_it_lists_the_newest_first_and_those_of_ones_plants_only(
    api_of: ApiOf, alarm: Alarm, temp: Sensor, rotterdam: Plant
) -> None:
    older = make_alarm(temp, raised_at=now() - timedelta(hours=1))
    foreign = make_alarm(Sensor.objects.get(slug="power"))
    assert found(api_of, "") == [str(alarm.pk), str(older.pk)]
    assert found(api_of, "", "charlie") == [str(foreign.pk)]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("plant=kandy", True),
        ("plant=rotterdam", False),
        ("zone=kandy/rolling", True),
        ("zone=kandy/nowhere", False),
        ("machine=kandy/rolling/roller-2", True),
        ("sensor=kandy/rolling/roller-2/temp", True),
        ("sensor=kandy/rolling/roller-2/rpm", False),
        ("severity=high", True),
        ("severity=low&severity=high", True),
        ("severity=low", False),
        ("state=cleared&state=raised", True),
        ("state=closed", False),
        ("subject=sensor", True),
        ("subject=machine", False),
        ("open=true", True),
        ("open=false", False),
        ("shelved=true", False),
        ("shelved=false", True),
        ("acknowledged=true", False),
        ("acknowledged=false", True),
        ("raised_after=2020-01-01T00:00:00Z", True),
        ("raised_before=2020-01-01T00:00:00Z", False),
        ("search=temperature", True),
        ("search=pressure", False),
        ("held_under=00000000-0000-0000-0000-000000000000", False),
        ("assigned_to=00000000-0000-0000-0000-000000000000", False),
        ("rule=00000000-0000-0000-0000-000000000000", False),
    ],
)
def test_it_filters(api_of: ApiOf, alarm: Alarm, query: str, is_found: bool) -> None:
    assert found(api_of, query) == ([str(alarm.pk)] if is_found else [])


def test_it_filters_by_ids(api_of: ApiOf, alarm: Alarm, temp: Sensor) -> None:
    held = make_alarm(temp, held_under=alarm)
    assert found(api_of, f"held_under={alarm.pk}") == [str(held.pk)]
    assert found(api_of, f"rule={alarm.rule_id}") == [str(alarm.pk)]
    assert found(api_of, f"machine={temp.machine_id}&sensor={temp.pk}&rule={held.rule_id}") == [str(held.pk)]


def test_it_tells_the_shelved_and_the_acknowledged(api_of: ApiOf, alarm: Alarm, bob: User) -> None:
    by = Actor(bob, Source.PAGE)
    alarm.shelve(by, now() + timedelta(hours=1), "The belt is being changed.")
    alarm.acknowledge(by)
    assert found(api_of, "shelved=true&acknowledged=true") == [str(alarm.pk)]
    assert found(api_of, "shelved=false") == []


def test_it_orders_by_severity(api_of: ApiOf, alarm: Alarm, temp: Sensor) -> None:
    worse = make_alarm(temp, severity="critical", raised_at=now() - timedelta(hours=1))
    assert found(api_of, "ordering=rank") == [str(worse.pk), str(alarm.pk)]
    assert found(api_of, "ordering=-rank") == [str(alarm.pk), str(worse.pk)]


@pytest.mark.parametrize("query", ["severity=awful", "state=ajar", "rule=x", "open=perhaps", "raised_after=noon"])
def test_it_refuses_filters_that_make_no_sense(api_of: ApiOf, alarm: Alarm, query: str) -> None:
    assert api_of("vera").get(f"{LIST}?{query}").status_code == 400


def test_it_asks_the_database_as_often_for_many(api_of: ApiOf, alarm: Alarm, temp: Sensor, vera: User) -> None:
    client = api_of(vera)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(LIST)
    for _ in range(5):
        make_alarm(temp, acknowledged_by=vera, assigned_to=vera)
    with CaptureQueriesContext(connection) as many:
        client.get(LIST)
    assert len(many) == len(one)


def test_it_tells_the_journal_in_order(api_of: ApiOf, alarm: Alarm, bob: User) -> None:
    by = Actor(bob, Source.PAGE)
    alarm.comment(by, "Smells of oil.")
    alarm.acknowledge(by)
    answer = get(api_of, "vera", f"{LIST}{alarm.pk}/events/?page_size=1")
    assert answer["count"] == 2
    (first,) = answer["results"]
    told = {name: first[name] for name in ("kind", "state", "actor", "user", "source", "note", "detail")}
    assert told == {
        "kind": "commented",
        "state": "raised",
        "actor": "Bob",
        "user": str(bob.pk),
        "source": "page",
        "note": "Smells of oil.",
        "detail": {},
    }
    assert get(api_of, "vera", answer["next"])["results"][0]["kind"] == "acknowledged"


def test_it_has_no_journal_for_strangers(api_of: ApiOf, alarm: Alarm) -> None:
    assert api_of("charlie").get(f"{LIST}{alarm.pk}/events/").status_code == 404
