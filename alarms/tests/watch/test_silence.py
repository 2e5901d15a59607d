from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, Rule, RuleState, Source
from alarms.tests.watch.conftest import Look
from plants.models import Device, Machine, Plant, Sensor
from plants.models.devices import hashed
from plants.scales import SECOND_US
from telemetry.models import Latest

Hear = Callable[..., None]


@pytest.fixture
def rule(kandy: Plant) -> Rule:
    """All three sensors of the machine are watched: two by a rule on their type."""
    Sensor.objects.update(type="any")
    return Rule.objects.create(plant=kandy, sensor_type="any", kind="no_data", setpoint=60, severity="high")


@pytest.fixture
def hear(rule: Rule) -> Hear:
    """Readings of these sensors came so many seconds ago; of all, where none is named."""

    def hear(ago_s: float, *slugs: str) -> None:
        at = now() - timedelta(seconds=ago_s)
        for sensor in Sensor.objects.filter(**({"slug__in": slugs} if slugs else {})):
            values = {"time": at, "received_at": at, "value": 1, "quality": 192}
            Latest.objects.update_or_create(sensor=sensor, defaults=values)

    return hear


def add_machine(plant: Plant, *sensors: str) -> Machine:
    machine = Machine.objects.create(zone=plant.zones.get(), slug="roller-3", name="Roller 3")
    for slug in sensors:
        Sensor.objects.create(machine=machine, slug=slug, name=slug, type="any")
    return machine


def states() -> list[tuple[str, str, bool]]:
    """(subject, state, held) of every alarm."""
    rows = Alarm.objects.order_by("subject", "sensor__slug").values_list("subject", "state", "held_under")
    return [(subject, state, held is not None) for subject, state, held in rows]


def test_it_raises_for_one_silent_sensor_and_clears_when_it_is_back(hear: Hear, look: Look) -> None:
    hear(1)
    assert look() == {}
    hear(61, "temp")
    look()
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.title, alarm.trigger_value) == ("raised", "Roller 2: temperature sends no data", None)
    look()
    hear(0, "temp")
    look()
    assert list(AlarmEvent.objects.values_list("kind", flat=True)) == ["raised", "cleared"]


def test_it_gives_a_sensor_that_never_sent_time_from_when_the_rule_began(rule: Rule, look: Look) -> None:
    assert look() == {}
    Sensor.objects.update(created_at=F("created_at") - timedelta(seconds=61))
    assert look() == {}  # the rule is younger


def test_it_raises_one_alarm_for_a_whole_machine(hear: Hear, look: Look) -> None:
    hear(61)
    look()
    assert states() == [("machine", "raised", False), *[("sensor", "raised", True)] * 3]
    assert Alarm.objects.calling().get().title == "Roller 2: none of its 3 sensors sends data"
    assert look() == {}
    hear(0)
    look()
    assert states() == [("machine", "cleared", False), *[("sensor", "closed", True)] * 3]


def test_it_holds_what_was_raised_before_the_rest_of_the_machine_fell_silent(hear: Hear, look: Look) -> None:
    hear(1)
    hear(61, "temp")
    look()
    assert states() == [("sensor", "raised", False)]
    hear(61)
    look()
    assert states() == [("machine", "raised", False), *[("sensor", "raised", True)] * 3]
    assert AlarmEvent.objects.filter(kind="held").count() == 1


def test_it_releases_those_that_do_not_come_back_with_the_others(hear: Hear, look: Look) -> None:
    hear(61)
    look()
    hear(0, "rpm", "state")
    look()  # temp has a minute, too
    assert Alarm.objects.calling().get().subject == "machine"
    Alarm.objects.filter(state="closed").update(cleared_at=now() - timedelta(seconds=61))
    look()
    assert Alarm.objects.get(subject="machine").state == "cleared"
    assert Alarm.objects.calling().active().get().sensor == Sensor.objects.get(slug="temp")
    assert AlarmEvent.objects.filter(kind="released").count() == 1


def test_it_raises_one_alarm_for_a_device_of_several_machines(hear: Hear, look: Look, kandy: Plant) -> None:
    Device.objects.create(plant=kandy, name="gateway", prefix="rolling", secret_hash=hashed("secret"))
    add_machine(kandy, "power")
    hear(61)
    look()
    assert states() == [("device", "raised", False), *[("sensor", "raised", True)] * 4]
    hear(0)
    look()
    assert states() == [("device", "cleared", False), *[("sensor", "closed", True)] * 4]


def test_it_holds_a_machine_under_its_device(hear: Hear, look: Look, kandy: Plant) -> None:
    Device.objects.create(plant=kandy, name="gateway", secret_hash=hashed("secret"))
    add_machine(kandy, "power")
    hear(0)
    hear(61, "temp", "rpm", "state")
    look()
    hear(61)
    look()
    assert [subject for subject, _, held in states() if not held] == ["device"]
    hear(0, "power")
    look()
    Alarm.objects.filter(sensor__slug="power").update(cleared_at=now() - timedelta(seconds=61))
    look()
    assert [each.subject for each in Alarm.objects.calling().active()] == ["machine"]


def test_it_raises_again_in_the_same_alarm_of_a_machine(hear: Hear, look: Look, bob: User) -> None:
    for _ in range(2):
        hear(61)
        look()
        hear(0)
        look()
    alarm = Alarm.objects.get(subject="machine")
    assert (alarm.state, alarm.occurrences) == ("cleared", 2)
    alarm.acknowledge(Actor(bob, Source.PAGE))
    assert not Alarm.objects.open().exists()


def test_it_closes_the_alarm_of_a_machine_that_is_watched_no_more(hear: Hear, look: Look) -> None:
    hear(61)
    look()
    Rule.objects.update(is_enabled=False)
    look()
    assert not Alarm.objects.open().exists()


def test_it_waits_for_the_off_delay(hear: Hear, look: Look) -> None:
    Rule.objects.update(off_delay_s=30)
    hear(1)
    hear(61, "temp")
    look()
    hear(0, "temp")
    look()
    assert Alarm.objects.get().state == "raised"
    RuleState.objects.update(since_us=F("since_us") - 30 * SECOND_US)
    look()
    assert Alarm.objects.get().state == "cleared"


def test_it_waits_for_the_on_delay_once(hear: Hear, look: Look) -> None:
    Rule.objects.update(on_delay_s=30)
    hear(1)
    hear(61, "temp")
    look()
    RuleState.objects.update(since_us=F("since_us") - 30 * SECOND_US)
    look()
    assert Alarm.objects.get().state == "raised"
