from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, Rule, RulesChange, RuleState, Source
from alarms.tests.conftest import Say
from alarms.tests.watch.conftest import Look
from alarms.watch.endings import KEPT_CHANGES
from plants.models import Sensor


def _rpm() -> Sensor:
    return Sensor.objects.get(slug="rpm")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda: Rule.objects.update(is_enabled=False), "Its rule is switched off."),
        (lambda: Rule.objects.all().delete(), "Its rule was deleted."),
        (lambda: Sensor.objects.filter(slug="temp").update(is_active=False), "Its sensor is switched off."),
        (
            lambda: Rule.objects.update(sensor=Sensor.objects.get(slug="rpm")),
            "Its rule is no longer about this sensor.",
        ),
    ],
)
def test_it_closes_the_alarms_of_rules_that_are_no_more(
    say: Say, high: Rule, look: Look, change: Callable[[], object], why: str
) -> None:
    say((0, 85))
    change()
    assert look()["closed"] == 1
    assert Alarm.objects.get().state == "closed"
    assert AlarmEvent.objects.values_list("kind", "note").last() == ("closed", why)
    assert not RuleState.objects.exists()


def test_it_leaves_the_alarms_of_rules_about_all_of_a_type(say: Say, high: Rule, look: Look) -> None:
    Rule.objects.update(sensor=None, sensor_type="temperature")
    say((0, 85))
    assert look() == {}


def test_it_takes_an_alarm_from_the_shelf_when_the_time_has_come(say: Say, high: Rule, bob: User, look: Look) -> None:
    say((0, 85))
    Alarm.objects.get().shelve(Actor(bob, Source.PAGE), now() + timedelta(hours=1), "being mended")
    assert look() == {}
    Alarm.objects.update(shelved_until=now() - timedelta(seconds=1))
    assert look() == {"unshelved": 1}
    assert Alarm.objects.get().shelved_until is None
    assert list(AlarmEvent.objects.values_list("kind", flat=True)) == ["raised", "shelved", "unshelved"]


def test_it_forgets_old_notes_of_changes_but_the_newest(look: Look, high: Rule) -> None:
    RulesChange.objects.bulk_create(RulesChange() for _ in range(KEPT_CHANGES + 1))
    RulesChange.objects.update(at=now() - timedelta(days=2))
    look()
    assert RulesChange.objects.count() == 1
