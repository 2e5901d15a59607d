import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from accounts.models import User
from alarms.models import Actor, Alarm, AlarmEvent, Delivery, DeliveryAttempt, NotificationChannel, Source
from alarms.notifications import webhook
from alarms.notifications.deliver import DeliveryFailedError, deliver, send_test
from alarms.notifications.plan import plan
from alarms.tests.notifications.conftest import Make, add_event, states
from alarms.tests.notifications.servers import MailServer, WebhookServer


def plan_all() -> None:
    plan(list(AlarmEvent.objects.values_list("pk", flat=True)))


def deliver_due(minutes: float = 0) -> list[dict[str, Any]]:
    """As the worker does it after so many minutes; gives what became of each."""
    Delivery.objects.filter(state="waiting").update(due_at=now())  # nothing looks at it but the jobs
    due = Delivery.objects.filter(state="waiting", after_min__lte=minutes).order_by("event", "after_min", "created_at")
    return [deliver(pk, is_last=False) for pk in list(due.values_list("pk", flat=True))]


def test_it_plans_each_step_once_with_a_job_at_its_time(raise_alarm: Make, managers: NotificationChannel) -> None:
    raise_alarm()
    plan_all()
    plan_all()
    assert states() == [("Duty", "raised", "waiting"), ("Managers", "raised", "waiting")]
    first, second = Delivery.objects.order_by("due_at")
    assert second.due_at - first.due_at == timedelta(minutes=15)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'delivery', scheduled_at FROM procrastinate_jobs WHERE task_name = 'deliver' ORDER BY id"
        )
        assert cursor.fetchall() == [(str(first.pk), first.due_at), (str(second.pk), second.due_at)]


def test_it_tells_a_webhook_what_it_can_verify(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://inqube.example"
    alarm = raise_alarm()
    plan_all()
    assert deliver_due() == [{"sent": "200 OK"}]
    (request,) = receiver.received
    delivery = Delivery.objects.get()
    header = request.headers[webhook.SIGNATURE]
    time_s = int(header.partition(",")[0].removeprefix("t="))
    assert header == webhook.signature(duty.secret, time_s, request.body)
    assert request.headers["X-InQube-Delivery"] == str(delivery.pk)
    message = json.loads(request.body)["alarms"][0]
    assert message["title"] == "Roller 2: temperature high"
    assert (message["value"], message["limit"]) == ("85.2 °C", "limit 80 °C")
    assert message["address"] == "kandy/rolling/roller-2/temp"
    assert message["raised_at"].endswith(" +05:30")
    assert message["advice"] == "Open the damper.\nCall Nuwan."
    assert message["url"] == f"https://inqube.example/alarms/{alarm.pk}/"
    duty.refresh_from_db()
    assert duty.last_success_at is not None
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.is_success, attempt.outcome, delivery.state) == (True, "200 OK", "sent")


def test_it_tries_again_and_notes_each_attempt(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer
) -> None:
    receiver.statuses = [500, 200]
    raise_alarm()
    plan_all()
    with pytest.raises(DeliveryFailedError, match="500 Internal Server Error: ok"):
        deliver_due()
    duty.refresh_from_db()
    assert (duty.last_success_at, duty.last_failure) == (None, "500 Internal Server Error: ok")
    assert deliver_due() == [{"sent": "200 OK"}]
    outcomes = DeliveryAttempt.objects.values_list("is_success", "outcome")
    assert list(outcomes) == [(False, "500 Internal Server Error: ok"), (True, "200 OK")]
    assert [request.headers["X-InQube-Delivery"] for request in receiver.received] == [
        str(Delivery.objects.get().pk)
    ] * 2
    assert deliver(Delivery.objects.get().pk, is_last=False) == {"skipped": "sent"}


def test_it_gives_up_after_the_last_attempt(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer
) -> None:
    receiver.statuses = [500]
    raise_alarm()
    plan_all()
    delivery = Delivery.objects.get()
    assert deliver(delivery.pk, is_last=True) == {"failed": "500 Internal Server Error: ok"}
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("failed", "500 Internal Server Error: ok")


def test_it_gives_up_at_once_where_the_address_may_not_be_reached(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer, settings: Any
) -> None:
    settings.NOTIFY_PRIVATE_NETWORKS = []
    raise_alarm()
    plan_all()
    ((_, words),) = deliver_due()[0].items()
    assert "not in the public internet" in words
    assert (states(), receiver.received) == ([("Duty", "raised", "failed")], [])


def test_it_leaves_to_another_worker_what_that_has_claimed_until_it_must_have_died(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer
) -> None:
    raise_alarm()
    plan_all()
    pk = Delivery.objects.get().pk
    claimed_at = now() - timedelta(minutes=1)
    Delivery.objects.update(state="sending", claimed_at=claimed_at, attempts=1)
    assert deliver(pk, is_last=True) == {"put_off_until": (claimed_at + timedelta(minutes=5)).isoformat()}
    assert (states(), receiver.received) == ([("Duty", "raised", "sending")], [])
    Delivery.objects.update(claimed_at=now() - timedelta(minutes=6))
    assert deliver(pk, is_last=False) == {"sent": "200 OK"}
    assert len(receiver.received) == 1


def test_it_escalates_to_the_next_step_and_says_so_in_the_journal(
    raise_alarm: Make, managers: NotificationChannel, receiver: WebhookServer
) -> None:
    raise_alarm()
    plan_all()
    assert deliver_due(minutes=15) == [{"sent": "200 OK"}] * 2
    assert json.loads(receiver.received[1].body)["after_minutes"] == 15
    event = AlarmEvent.objects.latest("id")
    assert (event.kind, event.state, event.note) == ("escalated", "raised", "Managers was told after 15 min.")


def test_it_stops_when_somebody_acknowledges(
    raise_alarm: Make, managers: NotificationChannel, receiver: WebhookServer, bob: User
) -> None:
    alarm = raise_alarm()
    plan_all()
    deliver_due()
    alarm.acknowledge(Actor(bob, Source.PAGE))
    assert deliver_due(minutes=15) == [{"dropped": "Bob has acknowledged it."}]
    assert len(receiver.received) == 1


def test_it_says_that_it_cleared_to_those_who_heard_of_it_and_want_to_know(
    raise_alarm: Make, managers: NotificationChannel, duty: NotificationChannel, receiver: WebhookServer
) -> None:
    alarm = raise_alarm()
    NotificationChannel.objects.update(tells_clearing=True)
    plan_all()
    deliver_due()
    Alarm.objects.update(state="cleared", cleared_at=now())
    alarm.refresh_from_db()
    add_event(alarm, "cleared")
    plan_all()
    assert deliver_due(minutes=15) == [{"dropped": "It has cleared."}, {"sent": "200 OK"}]
    assert [json.loads(request.body)["subject"][:9] for request in receiver.received] == ["[High] Ro", "[Cleared]"]


def test_it_says_nothing_of_clearing_to_who_does_not_want_to_know(
    raise_alarm: Make, duty: NotificationChannel, receiver: WebhookServer
) -> None:
    alarm = raise_alarm()
    plan_all()
    deliver_due()
    alarm.state = "cleared"
    add_event(alarm, "cleared")
    plan_all()
    assert states() == [("Duty", "raised", "sent")]


def test_it_sends_a_test_at_once(duty: NotificationChannel, receiver: WebhookServer) -> None:
    receiver.statuses = [200, 404]
    assert send_test(duty) == (True, "200 OK", False)
    assert json.loads(receiver.received[0].body)["kind"] == "test"
    assert send_test(duty).words == "404 Not Found: ok"
    assert sorted(states()) == [("Duty", "test", "failed"), ("Duty", "test", "sent")]


def test_it_mails_again_only_whom_it_has_not_reached(
    raise_alarm: Make, duty: NotificationChannel, mail_server: MailServer
) -> None:
    NotificationChannel.objects.update(kind="email", url="", addresses="a@kandy.example\nb@kandy.example")
    mail_server.refused = {"b@kandy.example": b"451 try again\r\n"}
    raise_alarm()
    plan_all()
    with pytest.raises(DeliveryFailedError, match="451 try again"):
        deliver_due()
    mail_server.refused = {}
    assert deliver_due() == [{"sent": "The mail server took it for 1 address."}]
    assert [recipients for recipients, _ in mail_server.received] == [["a@kandy.example"], ["b@kandy.example"]]
