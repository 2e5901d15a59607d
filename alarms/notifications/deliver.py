"""Sends one delivery where it is called for, and notes what came of it."""

import time
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from alarms.lifecycle import Kind
from alarms.models.alarms import Alarm, AlarmEvent, Source, announce, lock_plants
from alarms.models.channels import LONGEST_REASON, NotificationChannel
from alarms.models.deliveries import Delivery, DeliveryAttempt
from alarms.notifications import mail, webhook
from alarms.notifications.addresses import networks
from alarms.notifications.claim import Claim, Facts, claim
from alarms.notifications.facts import notice_of
from alarms.notifications.outcome import Outcome
from alarms.notifications.payloads import body


class DeliveryFailedError(Exception):
    """It was not brought there; the job is to try again."""


def deliver(pk: UUID, is_last: bool) -> Facts:
    """Gives what became of it. Raises DeliveryFailedError where it failed and another try may not."""
    found = claim(pk, now())
    if not isinstance(found, Claim):
        return found
    outcome = _bring(found, is_last)
    if outcome.is_success:
        return {"sent": outcome.words}
    if is_last or outcome.is_final:
        return {"failed": outcome.words}
    raise DeliveryFailedError(outcome.words)


def send_test(channel: NotificationChannel) -> Outcome:
    """At once, whatever the policies say; noted like any other."""
    moment = now()
    delivery = Delivery.objects.create(
        plant=channel.plant,
        channel=channel,
        channel_name=channel.name,
        kind=Delivery.Kind.TEST,
        state=Delivery.State.SENDING,
        due_at=moment,
        claimed_at=moment,
        attempts=1,
    )
    return _bring(Claim(delivery, channel), is_last=True)


def _bring(claimed: Claim, is_last: bool) -> Outcome:
    moment, started = now(), time.monotonic()
    try:
        outcome, told = _send(claimed)
    except Exception as error:
        # Of ours: so that it does not look as if it were still being sent.
        ours = Outcome(False, f"An error of InQube's own, see the worker's log: {type(error).__name__}")
        _note(claimed, ours, [], moment, started, is_last)
        raise
    _note(claimed, outcome, told, moment, started, is_last)
    return outcome


def _send(claimed: Claim) -> tuple[Outcome, list[str]]:
    delivery, channel = claimed
    notice = notice_of(delivery)
    if channel.kind == NotificationChannel.Kind.EMAIL:
        return mail.send(notice, [each for each in channel.addresses.split() if each not in delivery.told])
    moment = now()
    sent = body(notice, channel.format, moment.isoformat())
    headers = {
        "Content-Type": "application/json",
        "X-InQube-Delivery": str(delivery.pk),
        webhook.SIGNATURE: webhook.signature(channel.secret, int(moment.timestamp()), sent),
    }
    return webhook.post(channel.url, sent, headers, networks(settings.NOTIFY_PRIVATE_NETWORKS)), []


def _note(claimed: Claim, outcome: Outcome, told: list[str], moment: datetime, started: float, is_last: bool) -> None:
    """The attempt, and what it means to the delivery, the channel and the alarm's journal."""
    delivery, channel = claimed
    words = "".join(each if each.isprintable() else " " for each in outcome.words)[:LONGEST_REASON]
    is_escalation = outcome.is_success and bool(delivery.after_min)
    with transaction.atomic():
        if is_escalation:
            lock_plants([delivery.plant_id])  # before all other locks, for the journal
        DeliveryAttempt.objects.create(
            delivery=delivery,
            at=moment,
            is_success=outcome.is_success,
            outcome=words,
            duration_ms=round((time.monotonic() - started) * 1000),
        )
        if outcome.is_success:
            state, reason = Delivery.State.SENT, ""
            channel.note_success(now())
        else:
            is_over = is_last or outcome.is_final
            state, reason = Delivery.State.FAILED if is_over else Delivery.State.WAITING, words
            channel.note_failure(now(), words)
        done_at = None if state == Delivery.State.WAITING else now()
        Delivery.objects.filter(pk=delivery.pk).update(
            state=state, reason=reason, done_at=done_at, told=[*delivery.told, *told]
        )
        if delivery.kind == Delivery.Kind.DIGEST and done_at is not None:
            delivery.collected.filter(state=Delivery.State.COLLECTED).update(
                state=state, reason=reason, done_at=done_at
            )
        if is_escalation:
            _note_escalation(delivery)


def _note_escalation(delivery: Delivery) -> None:
    alarm = Alarm.objects.filter(deliveries=delivery).first()
    if alarm is None:
        return
    AlarmEvent.objects.create(
        alarm=alarm,
        plant_id=alarm.plant_id,
        kind=Kind.ESCALATED,
        state=alarm.state,
        time=now(),
        source=Source.WORKER,
        note=f"{delivery.channel_name} was told after {delivery.after_min} min.",
    )
    announce([alarm.plant_id])
