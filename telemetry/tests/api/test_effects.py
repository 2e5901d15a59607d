"""What sensors did before and after a decision."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Decision, Source
from plants.models import Plant, Sensor
from plants.scales import BAD, GOOD
from plants.tests.conftest import ApiOf, api_of  # noqa: F401 a fixture
from telemetry.tests.samples import us, write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    return Sensor.objects.get(slug="temp")


def decide(bob: User, *sensors: Sensor, hours_ago: float) -> Decision:
    machine = Sensor.objects.get(slug="temp").machine
    at = now() - timedelta(hours=hours_ago)
    named = [sensor.pk for sensor in sensors]
    by = Actor(bob, Source.API)
    return Decision.objects.record(by, machine=machine, action="accept", reason="why", sensors=named, at=at)


def ask(api_of: ApiOf, decision: Decision, persona: str = "vera", **query: Any) -> Any:  # noqa: F811
    return api_of(persona).get(f"/api/v1/decisions/{decision.pk}/effect/", query)


def test_it_compares_the_hours_before_with_those_after(api_of: ApiOf, bob: User, temp: Sensor) -> None:  # noqa: F811
    rpm = Sensor.objects.get(slug="rpm")
    decision = decide(bob, rpm, temp, hours_ago=5)
    # By hours since the decision: what lies outside of two hours does not count, and the moment itself is after.
    course = [(-2.01, 1e6), (-2, 70), (-1, 80), (-0.5, 90), (0, 60), (1.9, 40), (2, 1e6)]
    readings = [(temp.number, us(decision.at + timedelta(hours=hours)), float(value), GOOD) for hours, value in course]
    readings += [(temp.number, us(decision.at + timedelta(hours=1)), 5.0, BAD)]
    write(readings)
    answer = ask(api_of, decision, hours=2).json()
    assert (answer["decision"], answer["hours"], answer["complete"]) == (str(decision.pk), 2, True)
    of_rpm, of_temp = answer["sensors"]
    nothing = {"readings": 0, "percent_good": None, "mean": None, "min": None, "max": None}
    assert (of_rpm["before"], of_rpm["after"]) == (nothing, nothing)
    assert of_temp["address"] == "kandy/rolling/roller-2/temp"
    assert of_temp["before"] == {"readings": 3, "percent_good": 100, "mean": 80, "min": 70, "max": 90}
    assert of_temp["after"] == {
        "readings": 3,
        "percent_good": pytest.approx(200 / 3),
        "mean": 50,
        "min": 40,
        "max": 60,
    }


def test_it_says_that_the_hours_after_are_not_over(api_of: ApiOf, bob: User, temp: Sensor) -> None:  # noqa: F811
    decision = decide(bob, temp, hours_ago=3)
    assert ask(api_of, decision).json()["complete"] is False
    assert ask(api_of, decision, hours=2).json()["complete"] is True


def test_it_tells_nothing_of_sensors_that_are_gone(api_of: ApiOf, bob: User, temp: Sensor) -> None:  # noqa: F811
    decision = decide(bob, temp, hours_ago=3)
    temp.delete()
    assert ask(api_of, decision).json()["sensors"] == []


@pytest.mark.parametrize("hours", ["0", "169", "x"])
def test_it_refuses_hours_that_make_no_sense(api_of: ApiOf, bob: User, temp: Sensor, hours: str) -> None:  # noqa: F811
    response = ask(api_of, decide(bob, temp, hours_ago=3), hours=hours)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "hours")


def test_it_does_not_exist_for_strangers(api_of: ApiOf, bob: User, temp: Sensor) -> None:  # noqa: F811
    assert ask(api_of, decide(bob, temp, hours_ago=3), "charlie").status_code == 404
