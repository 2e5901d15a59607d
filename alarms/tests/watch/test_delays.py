from datetime import timedelta

import pytest
from django.db.models import F
from django.utils.timezone import now

from alarms.models import Alarm, AlarmEvent, Rule, RuleState
from alarms.tests.conftest import START_US, Say
from alarms.tests.watch.conftest import Look
from plants.scales import BAD, SECOND_US


def pass_by(seconds: float) -> None:
    """As if so much time had passed since the last reading."""
    RuleState.objects.update(due_at=F("due_at") - timedelta(seconds=seconds))


def test_it_raises_when_the_delay_is_over_without_a_reading(say: Say, high: Rule, look: Look) -> None:
    Rule.objects.update(on_delay_s=10)
    say((0, 85))
    assert look() == {}
    pass_by(10)
    assert look() == {"delays": 1}
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.trigger_value) == ("raised", 85)
    assert alarm.raised_at.timestamp() == pytest.approx(START_US / SECOND_US + 10)
    assert AlarmEvent.objects.get().source == "worker"
    assert look() == {}


def test_it_clears_when_the_delay_is_over_without_a_reading(say: Say, high: Rule, look: Look) -> None:
    Rule.objects.update(off_delay_s=10)
    say((0, 85), (1, 70))
    pass_by(10)
    look()
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.clear_value) == ("cleared", 70)
    assert not RuleState.objects.exists()


def test_it_goes_on_from_where_the_watch_has_left_it(say: Say, high: Rule, look: Look) -> None:
    Rule.objects.update(on_delay_s=10)
    say((0, 85))
    pass_by(10)
    look()
    say((11, 95), (12, 70))
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.peak_value) == ("cleared", 95)


def test_it_knows_the_last_value_that_was_not_bad(say: Say, high: Rule, look: Look) -> None:
    Rule.objects.update(kind="rate", setpoint=30, on_delay_s=10)
    say((0, 50), (1, 60))
    say((2, 9999, BAD))
    pass_by(10)
    look()
    assert Alarm.objects.get().trigger_value == 60


def test_it_clears_what_is_out_of_its_hours(say: Say, high: Rule, look: Look) -> None:
    say((0, 85))
    local = now().astimezone(high.plant.tz)
    away = {"days": [(local + timedelta(days=3)).isoweekday()], "from": "06:00", "to": "14:00"}
    Rule.objects.update(schedule=away)
    look()
    assert Alarm.objects.get().state == "cleared"
