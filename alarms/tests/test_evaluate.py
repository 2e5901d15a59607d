from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, Rule, RuleState, RuleVersion, Source
from alarms.tests.conftest import START_US, Say
from plants.models import Sensor
from plants.scales import BAD, GOOD, SECOND_US
from telemetry.ingest.ledger import Kind
from telemetry.ingest.store import Store


def journal() -> list[tuple[str, float | None]]:
    return list(AlarmEvent.objects.values_list("kind", "value"))


def test_it_raises_one_alarm_follows_its_peak_and_clears_it(say: Say, high: Rule) -> None:
    say((0, 70), (1, 85))
    say((2, 95), (3, 90))
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.trigger_value, alarm.peak_value, alarm.severity) == ("raised", 85, 95, "high")
    assert alarm.title == "Roller 2: temperature high"
    assert alarm.version == RuleVersion.objects.get(rule=high)
    say((4, 79), (5, 78))
    alarm.refresh_from_db()
    assert (alarm.state, alarm.clear_value) == ("cleared", 78)
    assert journal() == [("raised", 85), ("cleared", 78)]
    assert not RuleState.objects.exists()


def test_it_knows_the_peak_of_an_episode_within_one_batch(say: Say, high: Rule) -> None:
    say((1, 85), (2, 95), (3, 90), (4, 70))
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.peak_value) == ("cleared", 95)


def test_it_knows_a_reading_that_comes_again(say: Say, high: Rule) -> None:
    say((1, 85))
    say((1, 85))
    say((1, 85), (2, 86))
    assert journal() == [("raised", 85)]


@pytest.mark.parametrize("unheard", [(0, 85), (6, 85, BAD)])
def test_it_is_not_turned_by_what_is_late_or_bad(say: Say, high: Rule, unheard: tuple[float, ...]) -> None:
    say((5, 70))
    say(unheard)
    assert journal() == []


def test_it_is_not_turned_by_what_is_late_in_its_own_batch(say: Say, high: Rule) -> None:
    say((5, 70), (3, 85), (6, 71))
    assert journal() == []


def test_it_goes_on_with_a_delay_in_the_next_batch(say: Say, high: Rule) -> None:
    Rule.objects.update(on_delay_s=10)
    say((0, 85))
    assert (RuleState.objects.get().phase, journal()) == (1, [])
    say((11, 86))
    assert journal() == [("raised", 85)]
    assert Alarm.objects.get().raised_at.timestamp() == pytest.approx(START_US / SECOND_US + 10)


def test_it_calls_again_in_the_same_alarm_while_nobody_has_seen_it(say: Say, high: Rule, bob: User) -> None:
    say((0, 85), (1, 70), (2, 85))
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.occurrences) == ("raised", 2)
    assert alarm.acknowledge(Actor(bob, Source.API))
    say((3, 70), (4, 85))
    assert list(Alarm.objects.order_by("raised_at").values_list("state", flat=True)) == ["closed", "raised"]


@pytest.mark.django_db(transaction=True)  # what a rule was is asked once a transaction
def test_it_takes_a_changed_rule_from_the_next_batch_on(say: Say, high: Rule) -> None:
    say((0, 75))
    Rule.objects.update(setpoint=70)
    say((1, 75))
    assert Alarm.objects.get().version.definition["setpoint"] == 70
    assert list(RuleVersion.objects.values_list("number", flat=True)) == [1, 2]


def test_it_remembers_the_last_good_reading_through_bad_ones(say: Say, high: Rule) -> None:
    Rule.objects.update(kind="rate", setpoint=30)
    say((0, 50))
    say((1, 9999, BAD))
    say((60, 90))
    assert journal() == [("raised", 90)]


def test_it_watches_all_sensors_of_a_type(say: Say, temp: Sensor) -> None:
    Rule.objects.create(plant=temp.machine.zone.plant, sensor_type="temperature", kind="high", setpoint=80)
    say((0, 85))
    assert Alarm.objects.get().sensor == temp


def test_it_keeps_a_shelf_for_the_next_episode(say: Say, high: Rule, bob: User) -> None:
    say((0, 85))
    alarm, by = Alarm.objects.get(), Actor(bob, Source.API)
    alarm.shelve(by, now() + timedelta(hours=1), "sensor is being replaced")
    alarm.acknowledge(by)
    say((1, 70), (2, 85))
    assert Alarm.objects.open().get().shelve_reason == "sensor is being replaced"
    assert not Alarm.objects.calling().exists()


def test_it_keeps_no_shelf_that_was_taken_away_from_a_later_episode(say: Say, high: Rule, bob: User) -> None:
    by = Actor(bob, Source.API)
    say((0, 85))
    Alarm.objects.get().shelve(by, now() + timedelta(hours=1), "sensor is being replaced")
    Alarm.objects.get().acknowledge(by)
    say((1, 70), (2, 85))
    Alarm.objects.open().get().unshelve(by)
    Alarm.objects.open().get().acknowledge(by)
    say((3, 70), (4, 85))
    assert Alarm.objects.calling().exists()


def test_it_refuses_a_second_open_alarm_and_a_journal_that_changes(say: Say, high: Rule) -> None:
    say((0, 85))
    alarm = Alarm.objects.get()
    alarm.pk = None
    alarm._state.adding = True
    with pytest.raises(IntegrityError, match="alarm_open_once_a_sensor"), transaction.atomic():
        alarm.save(force_insert=True)
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        AlarmEvent.objects.update(note="it was not me")


def test_it_remembers_through_bad_ones_which_value_a_delay_ends_with(say: Say, high: Rule) -> None:
    Rule.objects.update(on_delay_s=10)
    say((0, 85))
    say((1, 9999, BAD))
    say((20, 90))
    assert journal() == [("raised", 85)]


def test_it_keeps_the_peak_of_an_alarm_that_comes_again_lower(say: Say, high: Rule) -> None:
    say((0, 85), (1, 95), (2, 70), (3, 81), (4, 90))
    assert Alarm.objects.get().peak_value == 95


def test_it_measures_a_deviation_from_what_came_before_not_from_what_comes_later_in_the_batch(
    say: Say, high: Rule, temp: Sensor
) -> None:
    other = Sensor.objects.get(slug="rpm")
    Rule.objects.update(kind="deviation", reference=other, setpoint=5)
    connection.ensure_connection()
    store = Store(lambda: connection.connection, kind=Kind.HTTP)
    store.write([(temp.number, START_US, 20, GOOD), (other.number, START_US + SECOND_US, 90, GOOD)])
    assert journal() == []
