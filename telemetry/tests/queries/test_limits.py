from typing import Any

from alarms.models import Rule
from plants.models import Machine, Plant, Sensor
from telemetry.queries.limits import limits_of


def sensors() -> list[Sensor]:
    return list(Sensor.objects.select_related("machine__zone__plant").order_by("number"))


def test_it_finds_the_limits_of_a_sensor_worst_first(kandy: Plant, django_assert_num_queries: Any) -> None:
    temp = Sensor.objects.get(slug="temp")
    Rule.objects.create(plant=kandy, sensor=temp, kind="high", setpoint=85, severity="high")
    Rule.objects.create(plant=kandy, sensor_type="temperature", kind="high_high", setpoint=95.5, severity="critical")
    Rule.objects.create(plant=kandy, sensor=temp, kind="low", setpoint=-3, severity="medium")
    asked = sensors()
    with django_assert_num_queries(1):
        found = limits_of(asked)
    assert [(limit.mark, limit.words) for limit in found[temp.pk]] == [
        ("HH", "High-high, over 95.5"),
        ("H", "High, over 85"),
        ("L", "Low, under \u22123"),
    ]
    assert all(not limits for pk, limits in found.items() if pk != temp.pk)


def test_it_leaves_out_what_is_off_elsewhere_or_no_limit(kandy: Plant) -> None:
    temp = Sensor.objects.get(slug="temp")
    other = Machine.objects.create(zone=temp.machine.zone, slug="roller-3", name="Roller 3")
    Rule.objects.create(plant=kandy, sensor=temp, kind="high", setpoint=85, is_enabled=False)
    Rule.objects.create(plant=kandy, sensor=temp, kind="rate", setpoint=85)
    Rule.objects.create(plant=kandy, machine=other, sensor_type="temperature", kind="high", setpoint=85)
    assert limits_of([temp]) == {temp.pk: []}
