"""Rules in the admin."""

from typing import Any

from django.test import Client

from alarms.models import Rule
from plants.models import Plant, Sensor

LIST = "/admin/alarms/rule/"
FORM = {"kind": "high", "deadband": "0", "on_delay_s": "0", "off_delay_s": "0", "severity": "high", "schedule": "{}"}


def post(client: Client, path: str, **form: Any) -> Any:
    return client.post(f"{LIST}{path}", FORM | form)


def test_it_makes_a_rule_on_a_sensor_of_its_plant(as_bob: Client, temp: Sensor, kandy: Plant) -> None:
    assert post(as_bob, "add/", sensor=temp.pk, setpoint="80").status_code == 302
    assert Rule.objects.get().plant == kandy


def test_it_says_beside_the_field_what_is_wrong(as_bob: Client, temp: Sensor) -> None:
    response = post(as_bob, "add/", sensor_type="temperature", setpoint="80")
    assert response.context["adminform"].form.errors == {"plant": ["Name the plant, or one sensor."]}
    response = post(as_bob, "add/", sensor=temp.pk)
    assert response.context["adminform"].form.errors == {"setpoint": ["The rule needs a setpoint."]}
    response = post(as_bob, "add/", sensor=temp.pk, setpoint="80", schedule='{"days": [9]}')
    assert list(response.context["adminform"].form.errors) == ["schedule"]


def test_it_takes_no_sensor_of_a_foreign_plant(as_bob: Client, rotterdam: Plant) -> None:
    power = Sensor.objects.get(slug="power")
    assert "valid choice" in post(as_bob, "add/", sensor=power.pk, setpoint="80").content.decode()
    assert not Rule.objects.exists()


def test_it_lists_rules_with_what_they_watch(as_bob: Client, high: Rule, rotterdam: Plant) -> None:
    Rule.objects.create(plant=rotterdam, sensor_type="power", kind="low", setpoint=1, message="No power")
    page = as_bob.get(LIST).content.decode()
    assert "Temperature: high" in page
    assert "No power" not in page
    assert "Rotterdam" not in page


def test_it_leads_to_the_alarms_of_the_rule(as_bob: Client, high: Rule) -> None:
    page = as_bob.get(f"{LIST}{high.pk}/change/").content.decode()
    link = f"/admin/alarms/alarm/?rule__id__exact={high.pk}"
    assert link in page
    assert as_bob.get(link).status_code == 200


def test_it_shows_who_changed_what(as_bob: Client, high: Rule) -> None:
    post(as_bob, f"{high.pk}/change/", sensor=high.sensor_id, setpoint="85")
    page = as_bob.get(f"{LIST}{high.pk}/history/").content.decode()
    assert "<b>setpoint</b> <del>80</del> → <ins>85</ins>" in page
    assert "bob@example.org" in page
