"""JSON of alarms, of their journal, and of the people in both."""

from typing import Any

from rest_framework import serializers

from accounts.models import User
from alarms.models import Alarm, AlarmEvent, Rule


class PersonSerializer(serializers.ModelSerializer[User]):
    """Somebody, as all who see the alarm may know them."""

    name = serializers.CharField(source="get_full_name", help_text="Their email where they have no name.")

    class Meta:
        model = User
        fields = ("id", "name")


class AlarmSerializer(serializers.ModelSerializer[Alarm]):
    """One episode of a rule: from when its condition held, until it was over and somebody had acknowledged it."""

    # Of rows of `Alarm.objects.with_words()`, and without a request: live frames and notifications have none.
    address = serializers.SerializerMethodField(
        help_text="plant/zone/machine/sensor, the slugs; plant/zone/machine of a silent machine, the plant of a "
        "silent device."
    )
    sensor_number = serializers.IntegerField(
        source="sensor.number", default=None, allow_null=True, help_text="Of its sensor, as live frames name it."
    )
    rule_version = serializers.IntegerField(
        source="version.number", help_text="Which version of the rule raised it; the rule may be another by now."
    )
    kind = serializers.ChoiceField(choices=Rule.Kind.choices, source="version.definition.kind")
    setpoint = serializers.FloatField(source="version.definition.setpoint", allow_null=True)
    unit = serializers.CharField(source="sensor.unit", default="", help_text="Of the sensor's values.")
    advice = serializers.CharField(source="version.definition.advice", help_text="What to do about it.")
    acknowledged_by = PersonSerializer(allow_null=True)
    assigned_to = PersonSerializer(allow_null=True, help_text="Who looks after it.")
    shelved_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Alarm
        fields = (
            "id",
            "plant",
            "machine",
            "sensor",
            "device",
            "address",
            "sensor_number",
            "subject",
            "rule",
            "rule_version",
            "kind",
            "setpoint",
            "unit",
            "severity",
            "title",
            "advice",
            "state",
            "raised_at",
            "occurrences",
            "trigger_value",
            "peak_value",
            "peak_at",
            "cleared_at",
            "clear_value",
            "acknowledged_at",
            "acknowledged_by",
            "assigned_to",
            "shelved_until",
            "shelved_by",
            "shelve_reason",
            "held_under",
            "closed_at",
        )
        read_only_fields = fields
        extra_kwargs: dict[str, Any] = {
            "rule": {"help_text": "Null once it is deleted."},
            "raised_at": {"help_text": "By the reading's own time."},
            "occurrences": {"help_text": "How often it was raised before anybody acknowledged it."},
            "peak_value": {"help_text": "The furthest beyond the limit."},
            "shelved_until": {"help_text": "Shelved where that is still to come."},
            "held_under": {"help_text": "The alarm of the silent machine or device that speaks for this one."},
        }

    def get_address(self, alarm: Alarm) -> str:
        if alarm.sensor is not None:
            return alarm.sensor.address
        if alarm.machine is not None:
            return f"{alarm.plant.slug}/{alarm.machine.zone.slug}/{alarm.machine.slug}"
        return alarm.plant.slug


class AlarmEventSerializer(serializers.ModelSerializer[AlarmEvent]):
    """A row of an alarm's journal. Rows come in the order in which they happened, and never change."""

    class Meta:
        model = AlarmEvent
        fields = (
            "id",
            "kind",
            "state",
            "time",
            "recorded_at",
            "value",
            "user",
            "actor",
            "source",
            "note",
            "detail",
        )
        read_only_fields = fields
        extra_kwargs: dict[str, Any] = {
            "state": {"help_text": "Of the alarm after it."},
            "time": {"help_text": "The reading's own, or when somebody did it."},
            "recorded_at": {"help_text": "When it was written down."},
            "actor": {"help_text": "Their name at that time; empty where nobody did it."},
            "source": {"help_text": "Where it came from."},
            "detail": {"help_text": "More about it, such as `until` of a shelf, or `to` of who looks after it."},
        }
