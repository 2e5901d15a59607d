"""JSON of readings, and the query parameters that select them."""

from datetime import timedelta
from typing import Any

from django.utils.timezone import now
from rest_framework import serializers

from telemetry.queries.history import Cursor

DEFAULT_RANGE = timedelta(hours=1)
MAX_SENSORS = 100  # series in one answer
MAX_POINTS = 10_000  # readings of one sensor in one answer
MAX_ANSWER = 100_000  # readings of all sensors in one answer: a few megabytes
DEFAULT_POINTS = 1000


class LatestReadingSerializer(serializers.Serializer):
    """A sensor's newest reading; timestamp, value and quality are null before the first."""

    sensor_id = serializers.UUIDField()
    sensor_number = serializers.IntegerField(help_text="The sensor's short key, as live frames name it.")
    address = serializers.CharField(help_text="plant/zone/machine/sensor, the slugs.")
    timestamp = serializers.DateTimeField(allow_null=True, help_text="The device's time, UTC.")
    value = serializers.FloatField(allow_null=True)
    unit = serializers.CharField()
    quality = serializers.IntegerField(
        allow_null=True, help_text="OPC DA: 192 and above good, 64 to 191 uncertain, below 64 bad."
    )
    freshness = serializers.ChoiceField(choices=["fresh", "late", "stale", "none"])


class SeriesSerializer(serializers.Serializer):
    """The readings of one sensor. `points` holds a list per reading, in the order of `columns`."""

    sensor_id = serializers.UUIDField()
    unit = serializers.CharField()
    bucket = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        help_text="`ts` is in milliseconds since 1970 UTC; microseconds are its decimals.",
    )
    next = serializers.CharField(
        allow_null=True, help_text="Pass it as `cursor`, with this sensor alone, for what follows; null at the end."
    )


class HistoryQuery(serializers.Serializer):
    """What `GET /telemetry/history` takes."""

    start = serializers.DateTimeField(required=False, help_text="From this time on; by default an hour before `end`.")
    end = serializers.DateTimeField(required=False, help_text="Up to before this time; by default now.")
    bucket = serializers.ChoiceField(choices=["raw"], default="raw", help_text="Single readings.")
    points = serializers.IntegerField(
        min_value=1, max_value=MAX_POINTS, default=DEFAULT_POINTS, help_text="Readings of each sensor, at most."
    )
    quality = serializers.ChoiceField(choices=["any", "good"], default="any")
    cursor = serializers.CharField(required=False, help_text="`next` of the answer before.")

    def validate_cursor(self, text: str) -> Cursor:
        try:
            return Cursor.parse(text)
        except ValueError:
            raise serializers.ValidationError("This is no cursor. Pass on `next` of an earlier answer.") from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["end"] = attrs.get("end") or now()
        try:
            attrs["start"] = attrs.get("start") or attrs["end"] - DEFAULT_RANGE
        except OverflowError:
            raise serializers.ValidationError({"end": "The end lies before the calendar begins."}) from None
        if attrs["start"] >= attrs["end"]:
            raise serializers.ValidationError({"start": "The start must lie before the end."})
        return attrs
