"""JSON of readings, and the query parameters that select them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.timezone import now
from rest_framework import serializers

from telemetry.queries.history.answer import DEFAULT_POINTS, MAX_POINTS, Question
from telemetry.queries.history.buckets import Bucket
from telemetry.queries.history.kinds import AGGREGATES
from telemetry.queries.history.raw import Cursor

DEFAULT_RANGE = timedelta(hours=1)
MAX_SENSORS = 100  # series in one answer
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


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
    """The past of one sensor. `points` holds a list per reading or bucket, in the order of `columns`."""

    sensor_id = serializers.UUIDField()
    unit = serializers.CharField()
    bucket = serializers.CharField(help_text="`raw`, or the size of the buckets, also where `auto` chose it.")
    columns = serializers.ListField(
        child=serializers.CharField(),
        help_text="`ts`, then `value` and `quality` of raw readings, or the aggregates, or the labels of states.",
    )
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(allow_null=True)),
        help_text="`ts` is in milliseconds since 1970 UTC, microseconds are its decimals; a bucket's is its begin.",
    )
    next = serializers.CharField(
        allow_null=True, help_text="Pass it as `cursor`, with this sensor alone, for what follows; null at the end."
    )


class BucketField(serializers.CharField):
    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if text in ("auto", "raw"):
            return text
        try:
            return Bucket.parse(text)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class TimeZoneField(serializers.CharField):
    def to_internal_value(self, data: Any) -> Any:
        name = super().to_internal_value(data)
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # OSError: a directory of zones, such as Europe
            raise serializers.ValidationError(
                f"“{name}” is not a time zone. Use a name such as Europe/Amsterdam."
            ) from None


class AggregatesField(serializers.CharField):
    """Names joined by commas."""

    def to_internal_value(self, data: Any) -> Any:
        names = [name.strip() for name in super().to_internal_value(data).split(",")]
        for name in names:
            if name not in AGGREGATES:
                raise serializers.ValidationError(
                    f"There is no aggregate “{name}”; choose from {', '.join(AGGREGATES)}."
                )
        return tuple(dict.fromkeys(names))


class HistoryQuery(serializers.Serializer):
    """What `GET /telemetry/history` takes."""

    start = serializers.DateTimeField(required=False, help_text="From this time on; by default an hour before `end`.")
    end = serializers.DateTimeField(required=False, help_text="Up to before this time; by default now.")
    bucket = BucketField(
        required=False,
        help_text="`raw`: single readings. A number with `m`, `h`, `d`, `w` or `month`: buckets of that size. `auto`: "
        "the smallest buckets of which there are at most `points`; without `agg` and `fill`, and up to a day, raw "
        "readings of sensors that have no more than that. By default `raw`, or `auto` with `agg` or `fill`.",
    )
    agg = AggregatesField(
        required=False,
        help_text="Columns of buckets. By default `avg,min,max`; of counters `delta,last`; of states `duration`, "
        "which gives a column of seconds for each label.",
    )
    fill = serializers.ChoiceField(
        choices=["none", "null", "previous", "linear"],
        default="none",
        help_text="Buckets without a value: left out, null, the value before, or on the line between neighbours.",
    )
    points = serializers.IntegerField(
        min_value=1,
        max_value=MAX_POINTS,
        required=False,
        help_text=f"Readings or buckets of each sensor, at most; by default {DEFAULT_POINTS}.",
    )
    method = serializers.ChoiceField(
        choices=["lttb", "minmax"],
        required=False,
        help_text="Chooses `points` of all readings or buckets of the range, by the first column: those that keep the "
        "shape of the line, or the extremes.",
    )
    tz = TimeZoneField(
        required=False, help_text="Where buckets begin at midnight, such as Europe/Amsterdam; by default the plant's."
    )
    quality = serializers.ChoiceField(
        choices=["any", "good"],
        required=False,
        help_text="Which readings count; by default `any` of raw ones, `good` in buckets.",
    )
    cursor = serializers.CharField(required=False, help_text="`next` of the answer before; only with `raw`.")

    def validate_cursor(self, text: str) -> Cursor:
        try:
            return Cursor.parse(text)
        except ValueError:
            raise serializers.ValidationError("This is no cursor. Pass on `next` of an earlier answer.") from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["end"] = attrs.get("end") or now()
        for name in ("end", "start"):
            if name in attrs and not EARLIEST <= attrs[name] <= LATEST:
                raise serializers.ValidationError({name: "No reading is that far from now: use 1970 to 2200."})
        attrs["start"] = attrs.get("start") or attrs["end"] - DEFAULT_RANGE
        if attrs["start"] >= attrs["end"]:
            raise serializers.ValidationError({"start": "The start must lie before the end."})
        needs_buckets = {name for name in ("agg", "fill") if attrs.get(name, "none") != "none"}
        attrs.setdefault("bucket", "auto" if needs_buckets else "raw")
        self._refuse_what_does_not_go_together(attrs, needs_buckets)
        return attrs

    @staticmethod
    def _refuse_what_does_not_go_together(attrs: dict[str, Any], needs_buckets: set[str]) -> None:
        if attrs["bucket"] == "raw" and needs_buckets:
            raise serializers.ValidationError(
                dict.fromkeys(needs_buckets, "Single readings have none: ask for a bucket, such as 1h or auto.")
            )
        if "cursor" in attrs and attrs["bucket"] != "raw":
            raise serializers.ValidationError({"cursor": "Only raw readings come in pages; buckets come all at once."})
        if "cursor" in attrs and "method" in attrs:
            raise serializers.ValidationError({"cursor": "A method chooses from the whole range: leave out one."})
        if "method" in attrs and attrs.get("points") == 1:
            raise serializers.ValidationError({"points": "A method needs 2 points at least."})

    @property
    def question(self) -> Question:
        asked = self.validated_data
        quality = asked.get("quality")
        return Question(
            start=asked["start"],
            end=asked["end"],
            bucket=asked["bucket"],
            aggregates=asked.get("agg", ()),
            fill=asked["fill"],
            points=asked.get("points"),
            method=asked.get("method"),
            tz=asked.get("tz"),
            any_quality=None if quality is None else quality == "any",
            cursor=asked.get("cursor"),
        )
