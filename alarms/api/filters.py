"""Query parameters of the lists of rules and alarms."""

from django.db.models import Q, QuerySet
from django.utils.timezone import now
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from alarms.lifecycle import State
from alarms.models import Alarm, Decision, Rule, RuleQuerySet, Severity, Subject
from plants.api.filters import NamesField, ParentFilter
from plants.models import Machine, Plant, Sensor, Zone


class AlarmFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "plant")
    zone = ParentFilter(Zone, "machine__zone")
    machine = ParentFilter(Machine, "machine")
    sensor = ParentFilter(Sensor, "sensor")
    rule = filters.UUIDFilter(field_name="rule_id")
    severity = filters.MultipleChoiceFilter(choices=Severity.choices, help_text="Repeatable.")
    state = filters.MultipleChoiceFilter(choices=[(each.value, each.value) for each in State], help_text="Repeatable.")
    subject = filters.ChoiceFilter(choices=Subject.choices)
    open = filters.BooleanFilter(field_name="state", method="by_open", help_text="Whether it is not closed.")
    shelved = filters.BooleanFilter(field_name="shelved_until", method="by_shelved")
    acknowledged = filters.BooleanFilter(
        field_name="acknowledged_at", lookup_expr="isnull", exclude=True, help_text="Whether somebody acknowledged it."
    )
    assigned_to = filters.UUIDFilter(field_name="assigned_to_id", help_text="A user's id.")
    held_under = filters.UUIDFilter(field_name="held_under_id", help_text="An alarm's id.")
    raised_after = filters.IsoDateTimeFilter(field_name="raised_at", lookup_expr="gte", help_text="At or after it.")
    raised_before = filters.IsoDateTimeFilter(field_name="raised_at", lookup_expr="lt")

    class Meta:
        model = Alarm
        fields: tuple[str, ...] = ()

    def by_open(self, alarms: QuerySet[Alarm], name: str, value: bool) -> QuerySet[Alarm]:
        closed = Q(state=State.CLOSED)
        return alarms.filter(~closed if value else closed)

    def by_shelved(self, alarms: QuerySet[Alarm], name: str, value: bool) -> QuerySet[Alarm]:
        shelved = ~Q(state=State.CLOSED) & Q(shelved_until__gt=now())
        return alarms.filter(shelved if value else ~shelved)


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string"},
        "description": "UUID or address of a sensor: the rules that watch it, by name or by its type; repeatable.",
    }
)
class WatchedFilter(filters.Filter):
    field_class = NamesField

    def filter(self, rules: RuleQuerySet, names: list[str]) -> RuleQuerySet:
        return rules.applying_to(Sensor.objects.named(names)) if names else rules


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string"},
        "description": "UUID or address of a machine: the rules of it and of its sensors by name; repeatable.",
    }
)
class RulesOfMachineFilter(filters.Filter):
    field_class = NamesField

    def filter(self, rules: RuleQuerySet, names: list[str]) -> RuleQuerySet:
        if not names:
            return rules
        machines = Machine.objects.named(names)
        return rules.filter(Q(machine__in=machines) | Q(sensor__machine__in=machines))


class RuleFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "plant")
    zone = ParentFilter(Zone, "zone")
    machine = RulesOfMachineFilter()
    sensor = WatchedFilter()

    class Meta:
        model = Rule
        fields = ("sensor_type", "kind", "severity", "is_enabled")


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string"},
        "description": "UUID or address of a sensor that the decision names; repeatable.",
    }
)
class NamesSensorFilter(filters.Filter):
    field_class = NamesField

    def filter(self, decisions: QuerySet[Decision], names: list[str]) -> QuerySet[Decision]:
        if not names:
            return decisions
        return decisions.filter(sensors__overlap=list(Sensor.objects.named(names).values_list("pk", flat=True)))


class DecisionFilter(filters.FilterSet):
    plant = ParentFilter(Plant, "plant")
    machine = ParentFilter(Machine, "machine")
    sensor = NamesSensorFilter()
    alarm = filters.UUIDFilter(field_name="alarm_id")
    action = filters.MultipleChoiceFilter(choices=Decision.Action.choices, help_text="Repeatable.")
    user = filters.UUIDFilter(field_name="user_id", help_text="Who decided it.")
    after = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", help_text="At or after it.")
    before = filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Decision
        fields: tuple[str, ...] = ()
