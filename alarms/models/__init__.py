"""Rules and alarms."""

from alarms.models.alarms import Actor, Alarm, AlarmEvent, AlarmQuerySet, RefusedError, Source, Subject
from alarms.models.channels import NotificationChannel
from alarms.models.decisions import Decision, DecisionQuerySet
from alarms.models.deliveries import Delivery, DeliveryAttempt
from alarms.models.policies import NotificationPolicy, NotificationStep
from alarms.models.rules import Rule, RuleQuerySet, RuleVersion, is_scheduled
from alarms.models.severity import WORST_FIRST, Severity
from alarms.models.states import LastGood, RulesChange, RuleState

__all__ = [
    "WORST_FIRST",
    "Actor",
    "Alarm",
    "AlarmEvent",
    "AlarmQuerySet",
    "Decision",
    "DecisionQuerySet",
    "Delivery",
    "DeliveryAttempt",
    "LastGood",
    "NotificationChannel",
    "NotificationPolicy",
    "NotificationStep",
    "RefusedError",
    "Rule",
    "RuleQuerySet",
    "RuleState",
    "RuleVersion",
    "RulesChange",
    "Severity",
    "Source",
    "Subject",
    "is_scheduled",
]
