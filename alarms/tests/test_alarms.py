from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, RefusedError, Rule, RuleVersion, Source
from plants.models import Plant, Sensor


@pytest.fixture
def alarm(kandy: Plant) -> Alarm:
    temp = Sensor.objects.get(slug="temp")
    rule = Rule.objects.create(plant=kandy, sensor=temp, kind="high", setpoint=80)
    return Alarm.objects.create(
        plant=kandy,
        sensor=temp,
        rule=rule,
        version=RuleVersion.objects.get(rule=rule),
        severity="high",
        title="Roller 2: temperature high",
        state="raised",
        raised_at=now(),
    )


@pytest.fixture
def by(bob: User) -> Actor:
    return Actor(bob, Source.PAGE)


def test_it_is_acknowledged_once(alarm: Alarm, by: Actor, alice: User) -> None:
    assert alarm.acknowledge(by, "seen")
    assert not Alarm.objects.get().acknowledge(Actor(alice, Source.API))
    assert (alarm.state, alarm.acknowledged_by) == ("acknowledged", by.user)
    event = AlarmEvent.objects.get()
    assert (event.kind, event.actor, event.source, event.note) == ("acknowledged", "Bob", "page", "seen")


@pytest.mark.parametrize(
    ("hours", "reason", "words"), [(1, " ", "Say why"), (-1, "why", "to come"), (31 * 24, "why", "30 days at most")]
)
def test_it_refuses_a_shelf_without_reason_or_end(
    alarm: Alarm, by: Actor, hours: float, reason: str, words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        alarm.shelve(by, now() + timedelta(hours=hours), reason)
    assert not AlarmEvent.objects.exists()


def test_it_is_assigned_to_who_operates_its_plant(alarm: Alarm, by: Actor, vera: User, charlie: User) -> None:
    assert alarm.assign(by, by.user)
    assert not alarm.assign(by, by.user)
    for stranger in (vera, charlie):
        with pytest.raises(RefusedError, match="does not operate this plant"):
            alarm.assign(by, stranger)


def test_it_takes_comments_also_when_it_is_closed(alarm: Alarm, by: Actor) -> None:
    Alarm.objects.update(state="closed")
    assert alarm.comment(by, "It was the seal.")
    with pytest.raises(RefusedError, match="closed"):
        alarm.assign(by, by.user)


def test_it_exists_for_members_only(alarm: Alarm, bob: User, charlie: User) -> None:
    assert [Alarm.objects.visible_to(user).count() for user in (bob, charlie)] == [1, 0]


@pytest.mark.parametrize(
    ("schedule", "is_valid"),
    [
        ({}, True),
        ({"days": [1, 7], "from": "22:00", "to": "06:00"}, True),
        ({"days": [], "from": "06:00", "to": "22:00"}, False),
        ({"days": [8], "from": "06:00", "to": "22:00"}, False),
        ({"days": [1], "from": "6:00", "to": "22:00"}, False),
        ({"days": [1], "from": "06:00", "to": "06:00"}, False),
        (["always"], False),
    ],
)
def test_it_knows_a_schedule(kandy: Plant, schedule: object, is_valid: bool) -> None:
    rule = Rule(plant=kandy, sensor_type="temperature", kind="high", setpoint=1, schedule=schedule)
    if is_valid:
        rule.full_clean()
    else:
        with pytest.raises(ValidationError, match="A schedule is"):
            rule.full_clean()


def test_it_refuses_a_rule_over_two_plants(kandy: Plant, rotterdam: Plant) -> None:
    rule = Rule(sensor=Sensor.objects.get(slug="temp"), kind="deviation", setpoint=1)
    rule.reference = Sensor.objects.get(slug="power")
    with pytest.raises(ValidationError, match="another plant"):
        rule.clean()
