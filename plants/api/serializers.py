"""JSON of plants, zones, machines and sensors."""

from copy import copy
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelError
from django.db import models
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.validators import UniqueValidator

from plants.api.fields import FiniteFloatField, OwnerField, VisibleField
from plants.models import Machine, Plant, Sensor, Zone


class FactorySerializer(serializers.ModelSerializer):
    """What the four have in common: the model validates, and only what was sent is written."""

    serializer_related_field = VisibleField
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.FloatField: FiniteFloatField,
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        model: type[models.Model] = self.Meta.model
        candidate = copy(self.instance) if self.instance is not None else model()
        for name, value in attrs.items():
            setattr(candidate, name, value)
        try:
            candidate.clean()
            candidate.validate_constraints()
        except ModelError as error:
            errors = error.message_dict
            # The only constraints over several fields are those of a slug within its parent.
            raise serializers.ValidationError(
                {"slug" if field == NON_FIELD_ERRORS else field: texts for field, texts in errors.items()}
            ) from None
        return attrs

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """One UPDATE of the columns that were sent: it neither undoes another's change nor revives a deleted row."""
        rows = type(instance)._default_manager.filter(pk=instance.pk)
        if validated_data and not rows.update(**validated_data):
            raise NotFound
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return instance


class PlantSerializer(FactorySerializer):
    owner = OwnerField(allow_null=True, required=False)

    class Meta:
        model = Plant
        fields = ("id", "slug", "name", "location", "timezone", "owner", "on_unknown", "created_at")
        read_only_fields = ("created_at",)

    def get_fields(self) -> dict[str, serializers.Field]:
        """Only admins may change the slug, so only they are told that another plant has it."""
        fields = super().get_fields()
        if not self.context["request"].user.is_superuser:
            slug = fields["slug"]
            slug.validators = [validator for validator in slug.validators if not isinstance(validator, UniqueValidator)]
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not self.context["request"].user.is_superuser:
            for name in ("slug", "owner"):
                if name in attrs and attrs[name] != getattr(self.instance, name):
                    raise serializers.ValidationError({name: "Only an admin may change this."}, code="admin_only")
        return super().validate(attrs)


class ZoneSerializer(FactorySerializer):
    class Meta:
        model = Zone
        fields = ("id", "plant", "slug", "name", "kind", "position")
        validators: list[Any] = []  # the model's own, in `validate`, name the field


class MachineSerializer(FactorySerializer):
    class Meta:
        model = Machine
        fields = ("id", "zone", "slug", "name", "type", "position")
        validators: list[Any] = []


class LatestSerializer(serializers.Serializer):
    timestamp = serializers.DateTimeField(source="time")
    value = serializers.FloatField()
    quality = serializers.IntegerField(help_text="OPC DA: 192 and above good, 64 to 191 uncertain, below 64 bad.")


class SensorSerializer(FactorySerializer):
    address = serializers.CharField(read_only=True, help_text="plant/zone/machine/sensor, the slugs.")
    latest = LatestSerializer(read_only=True, allow_null=True, help_text="The newest reading, if there is one.")

    class Meta:
        model = Sensor
        fields = (
            "id",
            "number",
            "address",
            "machine",
            "slug",
            "name",
            "type",
            "unit",
            "kind",
            "states",
            "decimals",
            "low",
            "high",
            "rollover_at",
            "expected_interval_s",
            "stale_after_s",
            "duplicate_policy",
            "position",
            "is_active",
            "created_at",
            "latest",
        )
        read_only_fields = ("number", "created_at")
        validators: list[Any] = []
