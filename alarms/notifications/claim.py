"""Takes a delivery for an attempt to send it, or says why there is none: now, later, in a digest, or not at all.

At least once: a worker that dies after the other side has taken a message sends it again, with the same id. What was
claimed longer ago than any attempt lasts belongs to nobody.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from alarms.lifecycle import State
from alarms.models.alarms import Alarm, AlarmEvent
from alarms.models.channels import NotificationChannel
from alarms.models.deliveries import Delivery
from alarms.notifications.plan import defer
from alarms.notifications.policy import (
    FLOOD_WINDOW,
    Drop,
    Later,
    Message,
    Quiet,
    Send,
    Standing,
    Verdict,
    digest_due,
    is_flood,
    judge,
)

LONGEST_ATTEMPT = timedelta(minutes=5)  # 50 addresses at a slow mail server
BEFORE_FIRST = timedelta(seconds=30)  # how long word of a clearing waits, at first, for that of the alarm

NEVER = datetime.min.replace(tzinfo=UTC)

Facts = dict[str, Any]


class Claim(NamedTuple):
    delivery: Delivery
    channel: NotificationChannel


def claim(pk: UUID, moment: datetime) -> Claim | Facts:
    """The delivery, for this attempt alone; or what became of it instead."""
    with transaction.atomic():
        channel = _locked_channel(pk)
        delivery = Delivery.objects.select_related("plant", "step__policy").filter(pk=pk).first()
        if delivery is None:
            return {"skipped": "its plant is gone"}
        if delivery.state not in (Delivery.State.WAITING, Delivery.State.SENDING):
            return {"skipped": delivery.state}
        if channel is None or not channel.is_enabled:
            return _drop(delivery, "The channel is gone." if channel is None else "The channel is switched off.")
        if (until := _claimed_until(delivery)) > moment:
            return _again(delivery, until)
        verdict = _verdict(delivery, moment)
        if isinstance(verdict, Drop):
            return _drop(delivery, verdict.reason)
        if isinstance(verdict, Later):
            return _put_off(delivery, verdict.until)
        if delivery.kind != Delivery.Kind.DIGEST and not delivery.attempts and _is_flood(channel, moment):
            return _collect(delivery, channel, moment)
        delivery.state, delivery.claimed_at = Delivery.State.SENDING, moment
        delivery.attempts += 1
        delivery.save(update_fields=["state", "claimed_at", "attempts"])
        return Claim(delivery, channel)


def _locked_channel(pk: UUID) -> NotificationChannel | None:
    """Who decides on a message of this channel decides alone: no two claim one, and floods are counted."""
    of_delivery = Delivery.objects.filter(pk=pk).values("channel")
    return NotificationChannel.objects.select_for_update(no_key=True).filter(pk__in=of_delivery).first()


def _claimed_until(delivery: Delivery) -> datetime:
    """When whoever sends it has ended, well or not."""
    if delivery.state != Delivery.State.SENDING or delivery.claimed_at is None:
        return NEVER
    return delivery.claimed_at + LONGEST_ATTEMPT


def _verdict(delivery: Delivery, moment: datetime) -> Verdict:
    if delivery.kind == Delivery.Kind.DIGEST:
        return Send()
    alarm = Alarm.objects.select_related("acknowledged_by").filter(deliveries=delivery).first()
    event = AlarmEvent.objects.filter(pk=delivery.event_id or 0).first()
    if alarm is None or event is None:
        return Drop("The alarm was deleted.")
    if delivery.kind == Delivery.Kind.CLEARED:
        return _clearing_verdict(delivery, moment)
    if delivery.step is None or not delivery.step.policy.is_enabled:
        return Drop("Its step of the policy is gone, or the policy is switched off.")
    standing = Standing(
        state=State(alarm.state),
        severity=alarm.severity,
        is_shelved=alarm.is_shelved(moment),
        is_held=alarm.held_under_id is not None,
        acknowledged_by=str(alarm.acknowledged_by) if alarm.acknowledged_by else "",
        told_at=_told_at(delivery),
    )
    message = Message(delivery.after_min, delivery.was_put_off, event.recorded_at)
    policy = delivery.step.policy
    quiet = None
    if policy.quiet_from is not None and policy.quiet_to is not None:
        quiet = Quiet(policy.quiet_from, policy.quiet_to, policy.breaks_through)
    return judge(message, standing, quiet, moment.astimezone(delivery.plant.tz))


def _told_at(delivery: Delivery) -> datetime | None:
    same = Delivery.objects.filter(
        alarm=delivery.alarm_id, channel=delivery.channel_id, after_min=delivery.after_min, kind=Delivery.Kind.RAISED
    ).exclude(pk=delivery.pk)
    return (
        same.filter(done_at__isnull=False, state=Delivery.State.SENT)
        .order_by("-done_at")
        .values_list("done_at", flat=True)
        .first()
    )


def _clearing_verdict(delivery: Delivery, moment: datetime) -> Verdict:
    """Only who has been told of an alarm wants to hear that it cleared, and in this order."""
    raised = Delivery.objects.filter(
        alarm=delivery.alarm_id, channel=delivery.channel_id, kind=Delivery.Kind.RAISED, event__lt=delivery.event_id
    )
    if raised.filter(state=Delivery.State.COLLECTED).exists():
        return Drop("The digest that has the alarm says so.")
    if raised.filter(state__in=(Delivery.State.WAITING, Delivery.State.SENDING), due_at__lte=moment).exists():
        return Later(moment + max(BEFORE_FIRST, moment - delivery.created_at))
    if not raised.filter(state=Delivery.State.SENT).exists():
        return Drop("It had not been told that the alarm was raised.")
    return Send()


def _is_flood(channel: NotificationChannel, moment: datetime) -> bool:
    sent = Delivery.objects.filter(channel=channel, claimed_at__gt=moment - FLOOD_WINDOW)
    return is_flood(sent.exclude(kind=Delivery.Kind.TEST).count(), channel.flood_limit)


def _drop(delivery: Delivery, reason: str) -> Facts:
    """With a digest all that it would have told."""
    dropped = Delivery.objects.filter(Q(pk=delivery.pk) | Q(digest=delivery, state=Delivery.State.COLLECTED))
    dropped.update(state=Delivery.State.DROPPED, reason=reason, done_at=now())
    return {"dropped": reason}


def _put_off(delivery: Delivery, until: datetime) -> Facts:
    is_quiet = delivery.kind == Delivery.Kind.RAISED
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.WAITING, due_at=until, was_put_off=is_quiet, reason="Quiet hours." if is_quiet else ""
    )
    return _again(delivery, until)


def _again(delivery: Delivery, until: datetime) -> Facts:
    """By another job, at that time."""
    defer([delivery.pk], until)
    return {"put_off_until": until.isoformat()}


def _collect(delivery: Delivery, channel: NotificationChannel, moment: datetime) -> Facts:
    """Into the digest that is next; under the channel's lock, so that there is one."""
    digests = Delivery.objects.filter(channel=channel, kind=Delivery.Kind.DIGEST)
    digest = digests.filter(state=Delivery.State.WAITING).first()
    if digest is None:
        last = digests.order_by("-due_at").values_list("due_at", flat=True).first()
        digest = Delivery.objects.create(
            plant=delivery.plant,
            channel=channel,
            channel_name=channel.name,
            kind=Delivery.Kind.DIGEST,
            due_at=digest_due(moment, last),
        )
        defer([digest.pk])
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.COLLECTED, digest=digest)
    return {"collected": str(digest.pk)}
