import json
from datetime import time, timedelta
from typing import Any

from django.utils.timezone import now

from alarms.models import Alarm, AlarmEvent, Delivery, NotificationChannel, NotificationPolicy
from alarms.notifications.deliver import deliver
from alarms.notifications.plan import plan
from alarms.tests.notifications.conftest import Make, states
from alarms.tests.notifications.servers import WebhookServer


def tell(alarms: int, raise_alarm: Make) -> list[dict[str, Any]]:
    """Raises so many alarms, of which each is told at once; gives what became of it."""
    done = []
    for number in range(alarms):
        Alarm.objects.update(sensor=None)  # a rule and sensor have one that is open
        raise_alarm(title=f"Alarm {number}", severity="critical" if number == alarms - 1 else "high")
        event = AlarmEvent.objects.latest("id").pk
        plan([event])
        done.append(deliver(Delivery.objects.get(event=event).pk, is_last=False))
    return done


def test_it_puts_what_is_beyond_the_limit_into_one_digest(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer
) -> None:
    NotificationChannel.objects.update(flood_limit=2)
    done = tell(5, raise_alarm)
    assert [next(iter(each)) for each in done] == ["sent", "sent", "collected", "collected", "collected"]
    digest = Delivery.objects.get(kind="digest")
    assert timedelta() < digest.due_at - now() <= timedelta(minutes=1)
    assert deliver(digest.pk, is_last=False) == {"sent": "200 OK"}
    message = json.loads(receiver.received[-1].body)
    assert message["subject"] == "[Digest] Kandy: 3 alarms"
    assert [alarm["title"] for alarm in message["alarms"]] == ["Alarm 4", "Alarm 2", "Alarm 3"]
    assert len(receiver.received) == 3
    assert set(states()) == {("Duty", "raised", "sent"), ("Duty", "digest", "sent")}


def test_it_sends_the_next_digest_ten_minutes_later(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer
) -> None:
    NotificationChannel.objects.update(flood_limit=1)
    tell(2, raise_alarm)
    first = Delivery.objects.get(kind="digest")
    deliver(first.pk, is_last=False)
    tell(1, raise_alarm)
    second = Delivery.objects.get(kind="digest", state="waiting")
    assert second.due_at - first.due_at == timedelta(minutes=10)


def test_it_counts_the_last_ten_minutes_only(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer
) -> None:
    NotificationChannel.objects.update(flood_limit=1)
    tell(1, raise_alarm)
    Delivery.objects.update(claimed_at=now() - timedelta(minutes=11))
    assert tell(1, raise_alarm) == [{"sent": "200 OK"}]


def test_it_waits_for_the_end_of_quiet_hours(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer
) -> None:
    local = now().astimezone(duty.plant.tz)
    NotificationPolicy.objects.update(
        quiet_from=(local - timedelta(hours=1)).time(), quiet_to=(local + timedelta(hours=1)).time()
    )
    raise_alarm()
    plan([AlarmEvent.objects.get().pk])
    delivery = Delivery.objects.get()
    assert "put_off_until" in deliver(delivery.pk, is_last=False)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.was_put_off) == ("waiting", True)
    assert timedelta(minutes=59) < delivery.due_at - now() <= timedelta(hours=1)
    assert receiver.received == []
    NotificationPolicy.objects.update(quiet_from=time(0), quiet_to=time(0, 0, 0, 1))
    assert deliver(delivery.pk, is_last=False) == {"sent": "200 OK"}


def test_it_drops_with_a_digest_what_that_would_have_told(raise_alarm: Make, duty: NotificationChannel) -> None:
    NotificationChannel.objects.update(flood_limit=1)
    tell(2, raise_alarm)
    NotificationChannel.objects.update(is_enabled=False)
    assert deliver(Delivery.objects.get(kind="digest").pk, is_last=False) == {"dropped": "The channel is switched off."}
    assert set(states()) == {("Duty", "raised", "sent"), ("Duty", "raised", "dropped"), ("Duty", "digest", "dropped")}
