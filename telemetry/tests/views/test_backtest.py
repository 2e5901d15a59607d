"""The page on which a rule is tried on history, from the admin's form and for a saved rule."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Rule
from plants.models import Plant, Sensor
from telemetry.tests.samples import TEMP, store_series

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/rules/backtest"


@pytest.fixture
def operator(bob: User, client: Client) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    """Too hot for three minutes, an hour ago, and for two, 3 days ago."""
    values = [(-259_200, 85), (-259_080, 70), (-3_600, 85), (-3_500, 90), (-3_420, 70)]
    return store_series(TEMP, [(now() + timedelta(seconds=second), value) for second, value in values])


@pytest.fixture
def form(temp: Sensor) -> dict[str, str]:
    """What the admin's form sends, Django's own fields among it."""
    return {
        "sensor": str(temp.pk),
        "sensor_type": "",
        "plant": "",
        "kind": "high",
        "setpoint": "80",
        "deadband": "0",
        "on_delay_s": "0",
        "off_delay_s": "0",
        "severity": "medium",
        "schedule": "{}",
        "advice": "Look.",
        "is_enabled": "on",
    }


def test_it_tries_a_form_that_is_not_saved(operator: Client, form: dict[str, str]) -> None:
    page = operator.post(URL, form)
    assert page.status_code == 200
    [result] = page.context["asked"].report.results
    assert [(each.trigger, each.peak) for each in result.episodes] == [(85, 90)]
    assert "3\u202fmin" in page.content.decode()
    assert not Rule.objects.exists()


def test_it_takes_another_range_and_other_values(operator: Client, form: dict[str, str]) -> None:
    page = operator.post(URL, form | {"range": "7d"})
    assert page.context["asked"].report.figures.alarms == 2
    assert operator.post(URL, form | {"range": "7d", "on_delay_s": "150"}).context["asked"].report.figures.alarms == 1


def test_it_tries_a_saved_rule_and_leaves_it_as_it_is(operator: Client, form: dict[str, str], temp: Sensor) -> None:
    rule = Rule.objects.create(plant=temp.machine.zone.plant, sensor=temp, kind="high", setpoint=95)
    assert operator.get(URL, {"rule": str(rule.pk)}).context["asked"].report.figures.alarms == 0
    changed = operator.post(f"{URL}?rule={rule.pk}", form)
    assert changed.context["asked"].report.figures.alarms == 1
    rule.refresh_from_db()
    assert (rule.setpoint, rule.version) == (95, 1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"setpoint": ""}, "The rule needs a setpoint."),
        ({"sensor": "", "sensor_type": "temperature"}, "Say which sensor the rule is about, or which plant."),
        ({"deadband": "-1"}, "Ensure this value is greater than or equal to 0."),
        ({"schedule": '{"days": []}'}, "A schedule is"),
    ],
)
def test_it_says_what_is_wrong_with_the_form(
    operator: Client, form: dict[str, str], change: dict[str, str], expected: str
) -> None:
    page = operator.post(URL, form | change)
    assert page.status_code == 400
    assert expected in page.content.decode()


def test_it_knows_no_sensor_of_another_plant(operator: Client, form: dict[str, str], rotterdam: Plant) -> None:
    power = Sensor.objects.get(slug="power")
    page = operator.post(URL, form | {"sensor": str(power.pk)})
    assert (page.status_code, "Power" in page.content.decode()) == (400, False)


def test_it_names_the_command_where_a_page_would_take_too_long(
    operator: Client, form: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.views.backtest.PAGE_READINGS", 2)
    told = operator.post(URL, form).content.decode()
    assert f"manage.py backtest_rule --sensor {TEMP} --kind high --setpoint 80 --deadband 0" in told
    of_type = form | {"sensor": "", "sensor_type": "temperature", "plant": str(Plant.objects.get().pk)}
    assert "save the rule, switched off" in operator.post(URL, of_type).content.decode()


def test_it_stands_below_the_form_in_the_admin(operator: Client, temp: Sensor) -> None:
    rule = Rule.objects.create(plant=temp.machine.zone.plant, sensor=temp, kind="high", setpoint=80)
    assert (
        f'formaction="{URL}?rule={rule.pk}"' in operator.get(f"/admin/alarms/rule/{rule.pk}/change/").content.decode()
    )
    assert f'formaction="{URL}"' in operator.get("/admin/alarms/rule/add/").content.decode()
