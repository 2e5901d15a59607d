"""Channels, policies and alarms of kandy, and real servers that misbehave as asked."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils.timezone import now

from alarms.models import (
    Alarm,
    AlarmEvent,
    Delivery,
    NotificationChannel,
    NotificationPolicy,
    NotificationStep,
    Rule,
    RuleVersion,
)
from alarms.tests.notifications.servers import MailServer, WebhookServer
from plants.models import Plant, Sensor

Make = Callable[..., Any]


@pytest.fixture
def receiver(settings: Any) -> Iterator[WebhookServer]:
    settings.NOTIFY_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    with WebhookServer() as server:
        yield server


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    with MailServer() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "InQube <alarms@kandy.example>"
        yield server


@pytest.fixture
def duty(kandy: Plant, receiver: WebhookServer) -> NotificationChannel:
    """A webhook, in whose policy it is told at once."""
    channel = NotificationChannel.objects.create(plant=kandy, name="Duty", kind="webhook", url=receiver.url)
    policy = NotificationPolicy.objects.create(plant=kandy, name="Severe", severity="high")
    NotificationStep.objects.create(policy=policy, channel=channel)
    return channel


@pytest.fixture
def managers(kandy: Plant, duty: NotificationChannel, receiver: WebhookServer) -> NotificationChannel:
    """Another, which is told after 15 minutes."""
    channel = NotificationChannel.objects.create(plant=kandy, name="Managers", kind="webhook", url=receiver.url)
    NotificationStep.objects.create(policy=NotificationPolicy.objects.get(), channel=channel, after_min=15)
    return channel


@pytest.fixture
def high(kandy: Plant) -> Rule:
    temp = Sensor.objects.get(slug="temp")
    return Rule.objects.create(
        plant=kandy, sensor=temp, kind="high", setpoint=80, severity="high", advice="Open the damper.\nCall Nuwan."
    )


@pytest.fixture
def raise_alarm(high: Rule) -> Make:
    """An alarm of the rule as ingest would have raised it, with its event, but without what ingest enqueues."""

    def make(**fields: Any) -> Alarm:
        values = {
            "plant": high.plant,
            "sensor": high.sensor,
            "machine": high.sensor and high.sensor.machine,
            "rule": high,
            "version": RuleVersion.objects.get(rule=high),
            "severity": "high",
            "title": "Roller 2: temperature high",
            "state": "raised",
            "raised_at": now(),
            "trigger_value": 85.25,
        }
        alarm = Alarm.objects.create(**values | fields)
        add_event(alarm, "raised")
        return alarm

    return make


def add_event(alarm: Alarm, kind: str) -> AlarmEvent:
    return AlarmEvent.objects.create(
        alarm=alarm, plant=alarm.plant, kind=kind, state=alarm.state, time=now(), source="ingest"
    )


def states() -> list[tuple[str, str, str]]:
    """(channel, kind, state) of all deliveries, in the order of their making."""
    return list(Delivery.objects.order_by("due_at", "created_at").values_list("channel_name", "kind", "state"))
