from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Alarm, Rule
from alarms.tests.alarms import make_alarm
from plants.models import Plant, Sensor
from telemetry.alarm_filter import AlarmFilter
from telemetry.alarm_rows import AlarmMark
from telemetry.queries.alarm_page import alarm_page
from telemetry.queries.alarms import alarm_list, marks_of, plant_alarms, worst_open


@pytest.fixture
def temp(kandy: Plant) -> Sensor:
    return Sensor.objects.get(slug="temp")


def many(sensor: Sensor, count: int) -> None:
    """Of every standing, and of a whole machine."""
    until = now() + timedelta(hours=1)
    standings: list[dict[str, Any]] = [{}, *({"state": each} for each in ("acknowledged", "cleared", "closed"))]
    standings.append({"shelved_until": until})
    for _ in range(count):
        for fields in standings:
            make_alarm(sensor, **fields)


def machines(temp: Sensor) -> Alarm:
    """One of the whole machine, with two held under it."""
    whole = make_alarm(temp, subject="machine", title="Roller 2: none of its 3 sensors sends data")
    Alarm.objects.filter(pk=whole.pk).update(sensor=None)
    for _ in range(2):
        make_alarm(temp, held_under=whole)
    return whole


def test_it_asks_as_much_for_many_as_for_one(temp: Sensor, vera: User) -> None:
    whole = machines(temp)

    def asked() -> list[int]:
        visible, counts = Alarm.objects.visible_to(vera), []
        for ask in (
            lambda: alarm_list(visible, AlarmFilter(), now()),
            lambda: plant_alarms(vera, now()),
            lambda: marks_of(visible, now()),
            lambda: worst_open(visible, now()),
            lambda: alarm_page(visible.with_words().get(pk=whole.pk), now()),
        ):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                ask()
            counts.append(len(queries))
        return counts

    many(temp, 1)
    assert asked() == [6, 2, 1, 2, 4]
    many(temp, 9)
    assert asked() == [6, 2, 1, 2, 4]


def test_it_asks_once_where_nothing_calls(temp: Sensor, vera: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert plant_alarms(vera, now()).banner is None
    assert len(queries) == 1


def test_it_calls_with_the_newest_of_the_worst(temp: Sensor, vera: User) -> None:
    make_alarm(temp, severity="low")
    make_alarm(temp, severity="critical", raised_at=now() - timedelta(hours=2))
    worst = make_alarm(temp, severity="critical", raised_at=now() - timedelta(hours=1))
    make_alarm(temp, severity="critical", state="acknowledged")
    found = plant_alarms(vera, now())
    assert found.banner is not None
    assert (found.banner.newest.id, found.banner.count) == (str(worst.pk), 3)
    assert [(each.severity, each.count) for each in found.of("kandy").present] == [("critical", 3), ("low", 1)]


def test_it_says_how_many_are_held_under_one(temp: Sensor, vera: User) -> None:
    whole = machines(temp)
    (row,) = worst_open(Alarm.objects.visible_to(vera), now())
    assert (row.id, row.value, row.remarks) == (str(whole.pk), "no data", ["2 alarms are held under this one"])


def test_it_marks_with_the_worst(temp: Sensor) -> None:
    make_alarm(temp, severity="high", state="acknowledged")
    make_alarm(temp, severity="high", state="raised")
    make_alarm(temp, severity="low", state="raised")
    make_alarm(temp, severity="critical", held_under=Alarm.objects.first())
    marks = marks_of(Alarm.objects.all(), now())
    assert marks.sensors == {temp.number: AlarmMark("high", "raised")}
    assert marks.machines == {temp.machine_id: AlarmMark("high", "raised")}


@pytest.mark.parametrize(
    ("kind", "setpoint", "fields", "value", "limit"),
    [
        ("high", 80, {"trigger_value": 81.24}, "81.2 °C", "limit 80"),
        ("high", 7.1, {"trigger_value": 81.24, "peak_value": 90}, "peak 90.0 °C", "limit 7.1"),
        ("low", -45, {"trigger_value": -46, "peak_value": -46, "state": "cleared"}, "peak −46.0 °C", "limit −45"),
        ("rate", 4, {"trigger_value": 81.24}, "81.2 °C", "limit 4 a minute"),
        ("stuck", 1800, {"trigger_value": 81.24}, "81.2 °C", "for 30 min"),
        ("no_data", None, {}, "no data", "expected every 5 s"),
    ],
)
def test_it_tells_value_and_limit(
    temp: Sensor, kind: str, setpoint: float | None, fields: dict[str, object], value: str, limit: str
) -> None:
    Sensor.objects.update(expected_interval_s=5)
    plant = temp.machine.zone.plant
    rule = Rule.objects.create(plant=plant, sensor=temp, kind=kind, setpoint=setpoint, advice="Old advice.")
    make_alarm(temp, rule, **fields)
    rule.setpoint, rule.advice = (setpoint or 0) + 5, "New advice."
    rule.save()
    (row,) = worst_open(Alarm.objects.all(), now())
    assert (row.value.replace("\u202f", " "), row.limit.replace("\u202f", " ")) == (value, limit)
    assert row.advice == "Old advice."


def test_it_tells_a_state_by_its_label(kandy: Plant) -> None:
    state = Sensor.objects.get(slug="state")
    make_alarm(state, Rule.objects.create(plant=kandy, sensor=state, kind="state", setpoint=3), trigger_value=3)
    (row,) = worst_open(Alarm.objects.all(), now())
    assert (row.value, row.limit) == ("Fault", "")
