from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils.timezone import now

from accounts.models import User
from alarms.models import (
    Actor,
    Alarm,
    AlarmEvent,
    NotificationChannel,
    NotificationPolicy,
    NotificationStep,
    Rule,
    Source,
)
from alarms.tests.conftest import Say
from plants.models import Plant


@pytest.fixture
def policy(kandy: Plant) -> NotificationPolicy:
    channel = NotificationChannel.objects.create(plant=kandy, name="Duty", kind="email", addresses="a@b.example")
    policy = NotificationPolicy.objects.create(plant=kandy, name="Severe", severity="high")
    NotificationStep.objects.create(policy=policy, channel=channel)
    return policy


def jobs() -> list[list[str]]:
    """The kinds of the events that each job is about."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array(SELECT kind FROM alarms_alarmevent AS event WHERE to_jsonb(event.id) <@ (job.args->'events')"
            " ORDER BY event.id) FROM procrastinate_jobs AS job WHERE task_name = 'notify' ORDER BY job.id"
        )
        return [kinds for (kinds,) in cursor.fetchall()]


def test_it_enqueues_a_job_with_each_transaction_that_raises_or_clears(
    say: Say, high: Rule, policy: NotificationPolicy
) -> None:
    say((0, 85))
    say((1, 86))
    say((2, 70))
    say((3, 85), (4, 70), (5, 85))
    assert jobs() == [["raised"], ["cleared"], ["raised", "cleared", "raised"]]


def test_it_enqueues_nothing_that_is_taken_back(say: Say, high: Rule, policy: NotificationPolicy) -> None:
    with transaction.atomic():
        say((0, 85))
        assert jobs() == [["raised"]]
        transaction.set_rollback(True)
    assert (jobs(), AlarmEvent.objects.count()) == ([], 0)


def silence(policy: NotificationPolicy, rule: Rule) -> None:
    policy.delete()


def switch_off(policy: NotificationPolicy, rule: Rule) -> None:
    NotificationPolicy.objects.update(is_enabled=False)


def lower(policy: NotificationPolicy, rule: Rule) -> None:
    Rule.objects.update(severity="medium")


def of_another_plant(policy: NotificationPolicy, rule: Rule) -> None:
    elsewhere = Plant.objects.create(slug="elsewhere", name="Elsewhere")
    NotificationPolicy.objects.update(plant=elsewhere)


@pytest.mark.parametrize("change", [silence, switch_off, lower, of_another_plant])
def test_it_enqueues_nothing_of_which_nobody_wants_to_hear(
    say: Say, high: Rule, policy: NotificationPolicy, change: Any
) -> None:
    change(policy, high)
    say((0, 85))
    assert AlarmEvent.objects.count() == 1
    assert jobs() == []


def test_it_enqueues_nothing_of_an_alarm_on_the_shelf_until_it_calls_again(
    say: Say, high: Rule, policy: NotificationPolicy, bob: User
) -> None:
    by = Actor(bob, Source.API)
    say((0, 85))
    alarm = Alarm.objects.get()
    alarm.shelve(by, now() + timedelta(hours=1), "being repaired")
    say((1, 70), (2, 85))
    assert jobs() == [["raised"]]
    alarm.unshelve(by)
    assert jobs() == [["raised"], ["unshelved"]]


def test_it_enqueues_nothing_of_an_alarm_that_is_held(say: Say, high: Rule, policy: NotificationPolicy) -> None:
    say((0, 85))
    Alarm.objects.update(held_under=Alarm.objects.get())
    say((1, 70), (2, 85))
    assert jobs() == [["raised"]]


def test_it_enqueues_nothing_of_what_people_say_and_do(
    say: Say, high: Rule, policy: NotificationPolicy, bob: User
) -> None:
    say((0, 85))
    alarm, by = Alarm.objects.get(), Actor(bob, Source.API)
    alarm.comment(by, "I go and look.")
    alarm.assign(by, bob)
    alarm.acknowledge(by)
    assert jobs() == [["raised"]]
